# A bare Debian in a folder, made once and copied for each test; sourced by scripts that run as root.

base=.build-package/debian

# Debian 12 as debootstrap lays it out, from where this machine's apt gets its packages, with apt's settings.
bare_debian() { # FOLDER
    if [ ! -e "$base/usr/bin/apt-get" ]; then
        rm -rf "$base" "$base.part"
        debootstrap --variant=minbase --include=ca-certificates bookworm "$base.part" \
            "$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)" >"$base.log"
        mv "$base.part" "$base"
    fi
    leave_debian "$1"
    rm -rf "$1"
    cp -a "$base" "$1"
    cp -a /etc/apt/apt.conf.d "$1/etc/apt/"
    mount --bind /proc "$1/proc"
    mount --bind /dev "$1/dev"
}

leave_debian() { # FOLDER
    local mounts
    mounts=$(findmnt --noheadings --list --output TARGET | grep "^$1/" | sort --reverse || true)
    [ -z "$mounts" ] || xargs umount <<<"$mounts"
}

in_debian() { # FOLDER COMMAND…
    local folder=$1
    shift
    env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$folder" "$@"
}
