"""Carries Ethernet frames between pairs of TAP devices, each frame late by a fixed time.

Stands in for netem on kernels that do not have it. Arguments: the delay in milliseconds, then pairs of device names,
`left:right`. Makes the devices in the network namespace it is started in, says `ready`, and goes on until it is killed;
the devices may be moved to other namespaces meanwhile.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

# linux/if_tun.h
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000

FRAME_BYTES = 2048
# Read from one device before the others get their turn.
MOST_AT_ONCE = 64


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def read_frames(fd):
    frames = []
    try:
        while len(frames) < MOST_AT_ONCE:
            frames.append(os.read(fd, FRAME_BYTES))
    except OSError:
        pass  # nothing more at present, or the device is down
    return frames


def write_frame(fd, frame):
    try:
        os.write(fd, frame)
    except OSError:
        pass  # the device is down: the frame is lost, as on a pulled cable


def main():
    delay = float(sys.argv[1]) / 1000
    other = {}
    poll = select.epoll()
    for pair in sys.argv[2:]:
        left, right = (open_tap(name) for name in pair.split(":"))
        other[left], other[right] = right, left
    for fd in other:
        poll.register(fd, select.EPOLLIN)
    print("ready", flush=True)
    # One delay for all: what came first is due first.
    waiting = collections.deque()
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else -1
        for fd, event in poll.poll(pause):
            if not event & select.EPOLLIN:
                poll.unregister(fd)  # its namespace has gone
                continue
            due = time.monotonic() + delay
            waiting.extend((due, other[fd], frame) for frame in read_frames(fd))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, fd, frame = waiting.popleft()
            write_frame(fd, frame)


main()
