# SPDX-License-Identifier: Apache-2.0
# Part of Facet: Gemma, end to end, in Swift.
"""Runs one program that a model wrote, with nothing within its reach.

python3 -I -X utf8 -c THIS FILE SECONDS BYTES, the program in FILE. It has passed when it ran to its end without an error: then the
last line of stdout is `passed`, and otherwise `failed: ` and why. What it prints is thrown away. Before its first line this process gives
up, for good: writing and creating files, reading any but Python's own (Landlock), every system call that a computation does not
need (seccomp: no processes, threads, sockets, signals to others), privileges, and memory and time beyond the limits."""
import ctypes, errno, os, platform, resource, signal, struct, sys

SYSTEM_CALLS = {
    'x86_64': dict(
        audit=0xC000003E, open=2, openat=257, prctl=157, seccomp=317, capset=126,
        allowed=[0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 23, 24, 25, 28, 32, 33, 35, 36, 37, 38, 39, 60,
                 63, 72, 79, 89, 96, 97, 98, 99, 100, 102, 104, 107, 108, 110, 131, 186, 202, 204, 217, 228, 229, 230, 231, 262, 267, 269,
                 271, 273, 292, 318, 332, 334, 439]),
    'aarch64': dict(
        audit=0xC00000B7, open=None, openat=56, prctl=167, seccomp=277, capset=91,
        allowed=[17, 23, 24, 25, 29, 48, 57, 61, 62, 63, 64, 65, 66, 67, 72, 73, 78, 79, 80, 93, 94, 98, 99, 101, 102, 103, 113, 114,
                 115, 123, 124, 132, 134, 135, 139, 153, 160, 163, 165, 169, 172, 173, 174, 175, 176, 177, 178, 179, 214, 215, 216, 222,
                 226, 233, 278, 291, 293, 439]),
}
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000
libc = ctypes.CDLL(None, use_errno=True)


def system(number, *arguments):
    """A system call by its number; ends the process when it fails."""
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        sys.exit(f'unavailable: {os.strerror(ctypes.get_errno())} (system call {number})')
    return result


def limit(seconds, size):
    """Time, memory, and no files that grow; SIGALRM ends what only waits."""
    for what, most in [(resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, size), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0),
                       (resource.RLIMIT_NOFILE, 64)]:
        resource.setrlimit(what, (most, most))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def python_paths():
    """Where Python and the libraries that it loads lie."""
    paths = {os.path.dirname(os.__file__), *sys.path, '/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/share/zoneinfo'}
    paths |= {os.path.join(prefix, 'lib') for prefix in (sys.prefix, sys.base_prefix)}
    return sorted(path for path in paths if path and os.path.isdir(path))


def close_files(calls):
    """Landlock: of all files, Python's own can be read, and none changed."""
    version = libc.syscall(ctypes.c_long(LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(1))
    if version < 1: sys.exit('unavailable: this kernel has no Landlock (Linux 5.13 or later has)')
    rights = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    execute, read_file, read_folder = 1, 4, 8
    request = ctypes.create_string_buffer(struct.pack('<Q', rights), 8)
    rules = system(LANDLOCK_CREATE, request, ctypes.c_size_t(8), ctypes.c_uint(0))
    for path in [*python_paths(), '/dev/null', '/dev/urandom', '/etc/ld.so.cache']:
        if not os.path.exists(path): continue
        door = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = execute | read_file | (read_folder if os.path.isdir(path) else 0)
        rule = ctypes.create_string_buffer(struct.pack('<Qi', allowed, door), 12)
        system(LANDLOCK_ADD, ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint(0))
        os.close(door)
    system(calls['prctl'], ctypes.c_long(38), ctypes.c_long(1), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))
    system(LANDLOCK_RESTRICT, ctypes.c_int(rules), ctypes.c_uint(0))
    os.close(rules)


def drop_privileges(calls):
    """No capabilities, whoever started this."""
    header = ctypes.create_string_buffer(struct.pack('<Ii', 0x20080522, 0), 8)
    system(calls['capset'], header, ctypes.create_string_buffer(24))


def close_system(calls):
    """seccomp: a list of what is allowed; files are opened for reading only; everything else fails with EPERM."""
    load, jump, test, ret = 0x20, 0x15, 0x45, 0x06
    allow, deny, kill = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
    # An instruction is its code, how many to skip when true and when false, and a number.
    code = [(load, 0, 0, 4), (jump, 1, 0, calls['audit']), (ret, 0, 0, kill), (load, 0, 0, 0)]
    for name, argument in [('open', 1), ('openat', 2)]:
        if calls[name] is None: continue
        code += [(jump, 0, 4, calls[name]), (load, 0, 0, 16 + 8 * argument), (test, 0, 1, WRITING), (ret, 0, 0, deny), (ret, 0, 0, allow)]
    for number in calls['allowed']: code += [(jump, 0, 1, number), (ret, 0, 0, allow)]
    code += [(ret, 0, 0, deny)]
    instructions = ctypes.create_string_buffer(b''.join(struct.pack('<HBBI', *part) for part in code))
    program = ctypes.create_string_buffer(struct.pack('@HP', len(code), ctypes.addressof(instructions)))
    system(calls['seccomp'], ctypes.c_uint(1), ctypes.c_uint(0), program)


def main():
    calls = SYSTEM_CALLS.get(platform.machine())
    if sys.platform != 'linux' or calls is None or struct.calcsize('P') != 8:
        sys.exit(f'unavailable: no sandbox for {sys.platform} on {platform.machine()}')
    with open(sys.argv[3], encoding='utf-8', newline='') as file: text = file.read()
    verdict, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for stream in 0, 1, 2: os.dup2(nothing, stream)
    os.chdir('/')
    os.environ.clear()
    # What programs of this kind import, so that most find it in memory.
    import collections, copy, functools, heapq, itertools, math, re, string, typing  # noqa: F401
    standard_error = os.dup(verdict)
    sys.stderr = os.fdopen(standard_error, 'w')
    close_files(calls)
    drop_privileges(calls)
    limit(int(sys.argv[1]), int(sys.argv[2]))
    close_system(calls)
    sys.stderr = open(os.devnull)
    try:
        exec(compile(text, '<program>', 'exec'), {})
        answer = 'passed'
    except BaseException as error:
        answer = f'failed: {type(error).__name__}: {error}'
    os.write(verdict, ('\n' + answer.replace('\n', ' ')[:500]).encode('utf-8', 'replace'))
    os._exit(0)


main()
