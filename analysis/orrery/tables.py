"""Tables of a file as data frames: a group is a table, a dataset a column."""
import h5py
import numpy as np
import pandas as pd


def text(value):
    """An attribute or a text dataset as str."""
    value = value[()] if isinstance(value, h5py.Dataset) else value
    return value.decode() if isinstance(value, bytes) else str(value)


def columns_of(group):
    """The columns of a table, in the order in which they were made; groups inside it are tables of their own."""
    return [name for name in group if isinstance(group[name], h5py.Dataset) and group[name].ndim == 1]


def table(file, path):
    """The table at `path`. Units and meanings of its columns are in .attrs["units"] and .attrs["long_name"]."""
    group = file[path]
    frame = {}
    for name in columns_of(group):
        values = group[name][()]
        frame[name] = np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
    frame = pd.DataFrame(frame)
    for attribute in ("units", "long_name"):
        frame.attrs[attribute] = {name: text(group[name].attrs[attribute]) for name in frame.columns}
    return frame
