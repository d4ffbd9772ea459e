#include "trace/pack.h"

#include <hdf5.h>
#include <stdlib.h>

typedef struct target {
    hid_t file;
    bool  ok;
} target;

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *context)
{
    target *t = context;
    (void)info;
    hid_t in = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(in), space = H5Aget_space(in);
    size_t bytes = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
    void *value = calloc(bytes + 1, 1);
    hid_t out = value == NULL ? -1 : H5Acreate2(t->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    t->ok &= out >= 0 && H5Aread(in, type, value) >= 0 && H5Awrite(out, type, value) >= 0;
    if (H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
    free(value);
    H5Aclose(out);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(in);
    return t->ok ? 0 : -1;
}

static herr_t copy_object(hid_t from, const char *name, const H5L_info_t *info, void *context)
{
    target *t = context;
    (void)info;
    t->ok &= H5Ocopy(from, name, t->file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0;
    return t->ok ? 0 : -1;
}

orr_status orr_file_pack(const char *from, const char *to)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE), in = H5Fopen(from, H5F_ACC_RDONLY, H5P_DEFAULT);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_obj_track_times(create, 0);
    target t = {.file = in < 0 ? -1 : H5Fcreate(to, H5F_ACC_TRUNC, create, access)};
    t.ok = t.file >= 0;
    if (t.ok) {
        H5Aiterate2(in, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, copy_attribute, &t);
        H5Literate(in, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, copy_object, &t);
        t.ok &= H5Fclose(t.file) >= 0;
    }
    if (in >= 0)
        H5Fclose(in);
    H5Pclose(create);
    H5Pclose(access);
    return t.ok ? ORR_OK : ORR_IO;
}
