#include "scenario/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LARGEST = 1 << 30, FIRST_READ = 1 << 16 };

static char *read_stream(gzFile stream, const char *path, size_t *length, orr_problems *problems)
{
    size_t capacity = FIRST_READ;
    char *text = malloc(capacity + 1);
    *length = 0;
    while (text != NULL) {
        int got = gzread(stream, text + *length, (unsigned)(capacity - *length));
        int error = Z_OK;
        if (got <= 0) { /* at the end gzerror tells of a gzip file that was cut off */
            const char *why = gzerror(stream, &error), *reason = strstr(why, ">: "); /* after "<fd:3>: " */
            if (got == 0 && error == Z_OK) {
                text[*length] = '\0';
                return text;
            }
            orr_problem(problems, (orr_where){.file = path}, "cannot be read: %s", error == Z_ERRNO ? strerror(errno) : reason != NULL ? reason + 3 : why);
            free(text);
            return NULL;
        }
        *length += (size_t)got;
        if (*length > LARGEST) {
            orr_problem(problems, (orr_where){.file = path}, "holds more than %d MiB", LARGEST >> 20);
            free(text);
            return NULL;
        }
        if (*length == capacity) {
            char *bigger = realloc(text, 2 * capacity + 1);
            if (bigger == NULL)
                break;
            text = bigger;
            capacity *= 2;
        }
    }
    free(text);
    problems->out_of_memory = true;
    return NULL;
}

char *orr_text_file(const char *path, size_t *length, orr_problems *problems)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) {
        orr_problem(problems, (orr_where){.file = path}, "cannot be read: %s", strerror(fd >= 0 && S_ISDIR(status.st_mode) ? EISDIR : errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    gzFile stream = gzdopen(fd, "rb");
    if (stream == NULL) {
        close(fd);
        problems->out_of_memory = true;
        return NULL;
    }
    gzbuffer(stream, 1 << 17);
    char *text = read_stream(stream, path, length, problems);
    gzclose(stream);
    return text;
}
