# SPDX-License-Identifier: MIT
# To be sourced, in the top folder: $xen_utils is where Debian's xen-utils-4.17 lies unpacked, downloaded if need be, or empty.
# shellcheck shell=bash

fetch_xen_utils() {
    local package=build/pkg/xen-utils dir=build/pkg/xen-utils-deb
    if [ ! -d $package ]; then
        rm -rf $dir $package.part
        mkdir -p $dir
        (cd $dir && apt-get -q -o APT::Sandbox::User=root -o Debug::NoLocking=true download xen-utils-4.17) \
            >$dir/log 2>&1 && dpkg -x $dir/*.deb $package.part || return
        rm -rf $dir
        mv $package.part $package
    fi
    xen_utils=$package/usr/lib/xen-4.17/bin
}

# shellcheck disable=SC2034 # for who sources this
xen_utils=
fetch_xen_utils || true
