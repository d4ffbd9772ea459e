#include "study/program.h"

#include "base/wall.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ENDS = 2, STEP_MS = 100 };

/* What one pipe has brought. */
typedef struct stream {
    char  *text;
    size_t count, capacity;
} stream;

void orr_program_clear(orr_program_result *r)
{
    free(r->out);
    free(r->err);
    *r = (orr_program_result){0};
}

/* Takes what has come; closes the pipe at its end. False when out of memory. */
static bool take(stream *s, struct pollfd *from)
{
    if (s->capacity - s->count < 4096) {
        char *larger = realloc(s->text, s->capacity * 2 + 8192);
        if (larger == NULL)
            return false;
        s->text = larger;
        s->capacity = s->capacity * 2 + 8192;
    }
    ssize_t got = read(from->fd, s->text + s->count, s->capacity - s->count - 1);
    if (got > 0) {
        s->count += (size_t)got;
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        close(from->fd);
        from->fd = -1;
    }
    s->text[s->count] = 0;
    return true;
}

static pid_t start(const char *const *arguments, int pipes[ENDS][2], int *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[0][1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes[1][1], STDERR_FILENO);
    /* In a group of its own: Ctrl-C is for us, a submission under way is to be finished. */
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    *error = posix_spawnp(&pid, arguments[0], &actions, &attributes, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return *error == 0 ? pid : -1;
}

/* Reads both pipes to their ends; ORR_INTERRUPTED: the deadline has passed. */
static orr_status listen_to(stream streams[ENDS], struct pollfd from[ENDS], double deadline)
{
    while (from[0].fd >= 0 || from[1].fd >= 0) {
        if (orr_wall_s() > deadline)
            return ORR_INTERRUPTED;
        if (poll(from, ENDS, STEP_MS) <= 0)
            continue;
        for (int i = 0; i < ENDS; i++)
            if (from[i].fd >= 0 && from[i].revents != 0 && !take(&streams[i], &from[i]))
                return ORR_NO_MEMORY;
    }
    return ORR_OK;
}

orr_status orr_program_run(const char *const *arguments, double seconds, orr_program_result *result, orr_problems *problems)
{
    int pipes[ENDS][2] = {{-1, -1}, {-1, -1}}, error = 0, status = 0;
    stream streams[ENDS] = {{0}};
    *result = (orr_program_result){0};
    pid_t pid = pipe2(pipes[0], O_CLOEXEC) == 0 && pipe2(pipes[1], O_CLOEXEC) == 0 ? start(arguments, pipes, &error) : -1;
    error = pid < 0 && error == 0 ? errno : error;
    struct pollfd from[ENDS];
    for (int i = 0; i < ENDS; i++) {
        if (pipes[i][1] >= 0)
            close(pipes[i][1]);
        from[i] = (struct pollfd){.fd = pipes[i][0], .events = POLLIN};
    }
    orr_status outcome = pid < 0 ? ORR_IO : listen_to(streams, from, orr_wall_s() + seconds);
    for (int i = 0; i < ENDS; i++)
        if (from[i].fd >= 0)
            close(from[i].fd);
    if (pid > 0) {
        if (outcome != ORR_OK)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (pid < 0)
        orr_problem(problems, (orr_where){0}, "`%s` cannot be started: %s", arguments[0], error == ENOENT ? "there is no such program on PATH" : strerror(error));
    if (outcome == ORR_INTERRUPTED) {
        orr_problem(problems, (orr_where){0}, "`%s` has not answered within %.0f s", arguments[0], seconds);
        outcome = ORR_IO;
    }
    result->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result->out = streams[0].text != NULL ? streams[0].text : strdup("");
    result->err = streams[1].text != NULL ? streams[1].text : strdup("");
    return result->out == NULL || result->err == NULL ? ORR_NO_MEMORY : outcome;
}
