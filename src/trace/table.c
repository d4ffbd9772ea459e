#include "trace/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ROWS = 8192, SMALL_CHUNK_ROWS = 512, DEFLATE = 1 };

static hid_t text_type(size_t bytes)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes);
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static size_t cell_bytes(orr_cell cell)
{
    static const size_t bytes[] = {1, 2, 4, 8, 4, 8, 8, ORR_TEXT_BYTES};
    return bytes[cell];
}

/* A type that the caller closes. */
static hid_t cell_type(orr_cell cell)
{
    switch (cell) {
    case ORR_CELL_U8: return H5Tcopy(H5T_STD_U8LE);
    case ORR_CELL_U16: return H5Tcopy(H5T_STD_U16LE);
    case ORR_CELL_U32: return H5Tcopy(H5T_STD_U32LE);
    case ORR_CELL_U64: return H5Tcopy(H5T_STD_U64LE);
    case ORR_CELL_I32: return H5Tcopy(H5T_STD_I32LE);
    case ORR_CELL_I64: return H5Tcopy(H5T_STD_I64LE);
    case ORR_CELL_F64: return H5Tcopy(H5T_IEEE_F64LE);
    case ORR_CELL_TEXT: return text_type(ORR_TEXT_BYTES);
    }
    return -1;
}

/* An attribute that exists is written in place: deleting and making it again would change the object's header, which a killed run might
 * leave half written. */
static orr_status write_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t failed = attribute < 0 ? -1 : H5Awrite(attribute, memory_type, value);
    H5Aclose(attribute);
    H5Sclose(space);
    return failed < 0 ? ORR_IO : ORR_OK;
}

orr_status orr_write_attribute_text(hid_t object, const char *name, const char *text)
{
    enum { LEAST_BYTES = 16 }; /* room for another short word later */
    char short_text[LEAST_BYTES] = "";
    size_t bytes = strlen(text) + 1;
    if (bytes <= LEAST_BYTES)
        memcpy(short_text, text, bytes);
    hid_t type = text_type(bytes <= LEAST_BYTES ? (size_t)LEAST_BYTES : bytes);
    orr_status status = write_attribute(object, name, type, type, bytes <= LEAST_BYTES ? short_text : text);
    H5Tclose(type);
    return status;
}

orr_status orr_write_attribute_integer(hid_t object, const char *name, int64_t value) { return write_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value); }

orr_status orr_write_attribute_double(hid_t object, const char *name, double value) { return write_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value); }

static hid_t create_dataset(hid_t group, const orr_column *column, hsize_t chunk)
{
    hsize_t none = 0, unlimited = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(1, &none, &unlimited), type = cell_type(column->cell), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 1, &chunk);
    H5Pset_shuffle(plist);
    H5Pset_deflate(plist, DEFLATE);
    H5Pset_obj_track_times(plist, 0);
    hid_t dataset = H5Dcreate2(group, column->name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    H5Tclose(type);
    H5Sclose(space);
    if (dataset >= 0 && (orr_write_attribute_text(dataset, "units", column->units) != ORR_OK || orr_write_attribute_text(dataset, "long_name", column->meaning) != ORR_OK)) {
        H5Dclose(dataset);
        return -1;
    }
    return dataset;
}

orr_status orr_table_create(orr_table *t, hid_t file, const orr_table_kind *kind)
{
    *t = (orr_table){.kind = kind};
    assert(kind->column_count <= ORR_MOST_COLUMNS);
    hid_t parents = H5Pcreate(H5P_LINK_CREATE), plist = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_create_intermediate_group(parents, 1);
    H5Pset_obj_track_times(plist, 0);
    hid_t group = H5Lexists(file, kind->path, H5P_DEFAULT) > 0 ? H5Gopen2(file, kind->path, H5P_DEFAULT) : H5Gcreate2(file, kind->path, parents, plist, H5P_DEFAULT);
    H5Pclose(parents);
    H5Pclose(plist);
    if (group < 0)
        return ORR_IO;
    orr_status status = H5Aexists(group, "long_name") > 0 ? ORR_OK : orr_write_attribute_text(group, "long_name", kind->meaning);
    for (uint32_t i = 0; i < kind->column_count; i++) {
        orr_array_init(&t->buffer[i], cell_bytes(kind->columns[i].cell));
        t->dataset[i] = create_dataset(group, &kind->columns[i], kind->columns[i].cell == ORR_CELL_TEXT ? SMALL_CHUNK_ROWS : CHUNK_ROWS);
        if (t->dataset[i] < 0)
            status = ORR_IO;
    }
    H5Gclose(group);
    return status;
}

orr_status orr_table_open(orr_table *t, hid_t file, const orr_table_kind *kind, uint64_t rows)
{
    orr_status status = ORR_OK;
    *t = (orr_table){.kind = kind, .written = rows};
    for (uint32_t i = 0; i < kind->column_count; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", kind->path, kind->columns[i].name);
        orr_array_init(&t->buffer[i], cell_bytes(kind->columns[i].cell));
        t->dataset[i] = H5Dopen2(file, path, H5P_DEFAULT);
        hid_t space = t->dataset[i] < 0 ? -1 : H5Dget_space(t->dataset[i]);
        if (space < 0 || H5Sget_simple_extent_npoints(space) != (hssize_t)rows)
            status = ORR_BAD_INPUT;
        if (space >= 0)
            H5Sclose(space);
    }
    return status;
}

bool orr_table_row(orr_table *t, ...)
{
    va_list list;
    bool ok = true;
    va_start(list, t);
    for (uint32_t i = 0; i < t->kind->column_count; i++) {
        orr_cell cell = t->kind->columns[i].cell;
        void *place = orr_array_extend(&t->buffer[i], 1);
        ok &= place != NULL;
        if (cell == ORR_CELL_F64) {
            double value = va_arg(list, double);
            if (place != NULL)
                memcpy(place, &value, sizeof value);
        } else if (cell == ORR_CELL_TEXT) {
            const char *text = va_arg(list, const char *);
            size_t n = strlen(text);
            while (n >= ORR_TEXT_BYTES) { /* cut before a character, not inside it (UTF-8) */
                n = ORR_TEXT_BYTES - 1;
                while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
                    n--;
            }
            if (place != NULL)
                memcpy(place, text, n);
        } else { /* little-endian integers: the low bytes come first, on the machines that this runs on and in the file */
            long long value = va_arg(list, long long);
            if (place != NULL)
                memcpy(place, &value, t->buffer[i].item_size);
        }
    }
    va_end(list);
    return ok;
}

static herr_t append(hid_t dataset, uint64_t written, const orr_array *buffer, orr_cell cell)
{
    hsize_t total = written + buffer->count, start = written, count = buffer->count;
    if (H5Dset_extent(dataset, &total) < 0)
        return -1;
    hid_t file_space = H5Dget_space(dataset), memory_space = H5Screate_simple(1, &count, NULL), type = cell_type(cell);
    herr_t failed = H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &start, NULL, &count, NULL);
    if (failed >= 0)
        failed = H5Dwrite(dataset, type, memory_space, file_space, H5P_DEFAULT, buffer->items);
    H5Tclose(type);
    H5Sclose(memory_space);
    H5Sclose(file_space);
    return failed;
}

orr_status orr_table_flush(orr_table *t)
{
    if (t->kind == NULL || t->buffer[0].count == 0)
        return ORR_OK;
    herr_t failed = 0;
    uint32_t rows = t->buffer[0].count;
    for (uint32_t i = 0; i < t->kind->column_count && failed >= 0; i++) {
        failed = append(t->dataset[i], t->written, &t->buffer[i], t->kind->columns[i].cell);
        t->buffer[i].count = 0;
    }
    t->written += rows;
    return failed < 0 ? ORR_IO : ORR_OK;
}

orr_status orr_table_close(orr_table *t)
{
    if (t->kind == NULL)
        return ORR_OK;
    orr_status status = orr_table_flush(t);
    for (uint32_t i = 0; i < t->kind->column_count; i++) {
        if (t->dataset[i] > 0 && H5Dclose(t->dataset[i]) < 0)
            status = ORR_IO;
        orr_array_clear(&t->buffer[i]);
    }
    *t = (orr_table){0};
    return status;
}

static void *read_column(hid_t file, const char *table, const char *column, hid_t type, size_t item, size_t *count)
{
    char path[256];
    *count = 0;
    snprintf(path, sizeof path, "%s/%s", table, column);
    if (H5Lexists(file, table, H5P_DEFAULT) <= 0 || H5Lexists(file, path, H5P_DEFAULT) <= 0)
        return NULL;
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT), space = dataset < 0 ? -1 : H5Dget_space(dataset);
    hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    void *values = n < 0 ? NULL : calloc((size_t)n + 1, item);
    if (values != NULL && n > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        free(values);
        values = NULL;
    }
    if (values != NULL)
        *count = (size_t)n;
    if (space >= 0)
        H5Sclose(space);
    if (dataset >= 0)
        H5Dclose(dataset);
    return values;
}

double *orr_read_doubles(hid_t file, const char *table, const char *column, size_t *count) { return read_column(file, table, column, H5T_NATIVE_DOUBLE, sizeof(double), count); }

int64_t *orr_read_integers(hid_t file, const char *table, const char *column, size_t *count)
{
    return read_column(file, table, column, H5T_NATIVE_INT64, sizeof(int64_t), count);
}

char *orr_read_texts(hid_t file, const char *table, const char *column, size_t *count)
{
    hid_t type = text_type(ORR_TEXT_BYTES);
    char *texts = read_column(file, table, column, type, ORR_TEXT_BYTES, count);
    H5Tclose(type);
    return texts;
}

char *orr_read_attribute_text(hid_t object, const char *name)
{
    if (H5Aexists(object, name) <= 0)
        return NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    size_t bytes = H5Tget_size(type);
    char *text = H5Tis_variable_str(type) > 0 ? NULL : calloc(bytes + 1, 1);
    if (text != NULL && H5Aread(attribute, type, text) < 0) {
        free(text);
        text = NULL;
    }
    H5Tclose(type);
    H5Aclose(attribute);
    return text;
}

static bool read_number(hid_t object, const char *name, hid_t type, void *value)
{
    if (H5Aexists(object, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    herr_t failed = H5Aread(attribute, type, value);
    H5Aclose(attribute);
    return failed >= 0;
}

int64_t orr_read_attribute_integer(hid_t object, const char *name, int64_t fallback)
{
    int64_t value;
    return read_number(object, name, H5T_NATIVE_INT64, &value) ? value : fallback;
}

double orr_read_attribute_double(hid_t object, const char *name, double fallback)
{
    double value;
    return read_number(object, name, H5T_NATIVE_DOUBLE, &value) ? value : fallback;
}

orr_status orr_write_text(hid_t file, const char *path, const char *text)
{
    hid_t space = H5Screate(H5S_SCALAR), type = text_type(strlen(text) + 1), parents = H5Pcreate(H5P_LINK_CREATE), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(parents, 1);
    H5Pset_obj_track_times(plist, 0);
    hid_t dataset = H5Dcreate2(file, path, type, space, parents, plist, H5P_DEFAULT);
    herr_t failed = dataset < 0 ? -1 : H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Pclose(parents);
    H5Tclose(type);
    H5Sclose(space);
    return failed < 0 ? ORR_IO : ORR_OK;
}

char *orr_read_text(hid_t file, const char *path)
{
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0)
        return NULL;
    hid_t type = H5Dget_type(dataset);
    char *text = calloc(H5Tget_size(type) + 1, 1);
    if (text != NULL && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        free(text);
        text = NULL;
    }
    H5Tclose(type);
    H5Dclose(dataset);
    return text;
}
