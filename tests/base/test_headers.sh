#!/bin/sh
# Every header compiles alone; the public one also as C++, and without anything of ours around it. Prints TAP.
# Usage: test_headers.sh SOURCE_ROOT  (CC and CXX may name other compilers)
root=${1:?usage: test_headers.sh SOURCE_ROOT}
cc=${CC:-gcc}
cxx=${CXX:-g++}
command -v pkg-config >/dev/null && flags=$(pkg-config --cflags gsl igraph hdf5-serial yaml-0.1 libxxhash zlib libcjson 2>/dev/null || pkg-config --cflags gsl igraph hdf5 yaml-0.1 libxxhash zlib libcjson)
strict="-fsyntax-only -Wall -Wextra -Wshadow -Wno-unused-function -Werror"
n=0
failed=0

# check NAME COMMAND...: one line of TAP
check()
{
    name=$1
    shift
    n=$((n + 1))
    if message=$("$@" 2>&1); then
        echo "ok $n - $name"
    else
        failed=1
        echo "not ok $n - $name"
        echo "$message" | head -20 | sed 's/^/# /'
    fi
}

# A header is included, not compiled: `#pragma once`-like guards and static functions are as its users meet them. Twice: guards hold.
alone()
{
    printf '#include "%s"\n#include "%s"\n' "$1" "$1" | $cc -std=c17 -D_GNU_SOURCE $strict $2 -x c -
}

cd "$root" || exit 1
for header in $(find include src -name '*.h' | LC_ALL=C sort); do
    check "$header alone" alone "$root/$header" "-I$root/include -I$root/src $flags"
done
for header in $(find include -name '*.h' | LC_ALL=C sort); do
    check "$header in strict ISO C17" $cc -std=c17 -pedantic-errors $strict -x c "$header"
    if command -v "$cxx" >/dev/null; then
        check "$header as C++" $cxx -std=c++17 -pedantic-errors $strict -x c++ "$header"
    fi
done
echo "1..$n"
exit $failed
