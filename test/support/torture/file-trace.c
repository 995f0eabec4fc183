/*
 * A library to be preloaded: writes down every change to files below a folder, and every fsync, in the order in which they
 * took effect. It decides nothing; `power-cut.ts` reads the trace and says what a power cut would have left.
 *
 * COTERIE_TRACE_ROOT     only paths below it are traced (absolute, real)
 * COTERIE_TRACE_FILE     the trace is appended to it; it must lie elsewhere
 * COTERIE_TRACE_BOOT_ID  the file that is read in place of Linux's boot id, because a power cut is also a reboot
 *
 * One lock is held around each change and its record, so that the trace has their real order. An fsync is two records around
 * the call: what was recorded before the first is on the disk once the second is there. A process that is killed between a
 * change and its record leaves a change that nobody was told of: the trace then has less than the files, never more.
 *
 * Record: u8 type, 7 bytes padding, u64 inode, u64 a, u64 b, then b bytes (data; or path, or two paths with a NUL between).
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, RENAME, LINK, UNLINK, MKDIR, RMDIR, SYNC_BEGIN, SYNC_END };

#define FDS 65536
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char traced[FDS];
static int trace_fd = -1;
static char root[PATH_MAX];
static size_t root_length;
static uint64_t syncs;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("COTERIE_TRACE_ROOT"), *file = getenv("COTERIE_TRACE_FILE");
  if (folder == NULL || file == NULL) return;
  root_length = strlen(folder);
  if (root_length >= sizeof root) abort();
  memcpy(root, folder, root_length + 1);
  trace_fd = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace_fd < 0) abort();
}

/* The absolute path of a path that a call was given; 0 if it is not traced. */
static int trace_path(int dir, const char *path, char *out) {
  if (trace_fd < 0 || path == NULL) return 0;
  if (path[0] == '/') {
    if (strlen(path) >= PATH_MAX) return 0;
    strcpy(out, path);
  } else {
    char base[PATH_MAX], link[64];
    if (dir == AT_FDCWD) {
      if (getcwd(base, sizeof base) == NULL) return 0;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
      ssize_t length = readlink(link, base, sizeof base - 1);
      if (length < 0) return 0;
      base[length] = 0;
    }
    if (snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, path) >= PATH_MAX) return 0;
  }
  return strncmp(out, root, root_length) == 0 && (out[root_length] == '/' || out[root_length] == 0);
}

static void record(int type, uint64_t inode, uint64_t a, const struct iovec *parts, int count) {
  struct { uint8_t type, pad[7]; uint64_t inode, a, b; } head = {.type = (uint8_t)type, .inode = inode, .a = a};
  struct iovec all[65];
  if (count > 64) abort();
  for (int index = 0; index < count; index++) {
    all[index + 1] = parts[index];
    head.b += parts[index].iov_len;
  }
  all[0] = (struct iovec){&head, sizeof head};
  size_t wanted = sizeof head + head.b;
  if (REAL(writev)(trace_fd, all, count + 1) != (ssize_t)wanted) abort(); /* a trace with a hole would prove nothing */
}

static void record_path(int type, uint64_t inode, const char *path, const char *other) {
  struct iovec parts[2] = {{(void *)path, strlen(path) + 1}, {(void *)other, other == NULL ? 0 : strlen(other)}};
  if (other == NULL) parts[0].iov_len--;
  record(type, inode, 0, parts, other == NULL ? 1 : 2);
}

static uint64_t inode_of(int fd) {
  struct stat facts;
  return fstat(fd, &facts) == 0 ? (uint64_t)facts.st_ino : 0;
}

/* libuv closes by a system call of its own, so that a mark may be of an earlier file: a pipe or socket is none of ours. */
static int is_traced(int fd) {
  struct stat facts;
  return fd >= 0 && fd < FDS && traced[fd] && fstat(fd, &facts) == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode));
}

static int opened(int (*real)(int, const char *, int, ...), int dir, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (path != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 && getenv("COTERIE_TRACE_BOOT_ID") != NULL)
    path = getenv("COTERIE_TRACE_BOOT_ID");
  if (!trace_path(dir, path, full)) {
    int other = real(dir, path, flags, mode);
    if (other >= 0 && other < FDS) traced[other] = 0;
    return other;
  }
  pthread_mutex_lock(&lock);
  struct stat before;
  int existed = fstatat(dir, path, &before, 0) == 0;
  int fd = real(dir, path, flags, mode);
  int error = errno;
  if (fd >= FDS) abort();
  if (fd >= 0) {
    traced[fd] = 1;
    if (!existed) record_path(CREATE, inode_of(fd), full, NULL);
    else if (flags & O_TRUNC) record(TRUNCATE, inode_of(fd), 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; }

#define OPEN(name, through) \
  int name(const char *path, int flags, ...) { \
    va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
    return opened(REAL(through), AT_FDCWD, path, flags, mode); }
#define OPENAT(name) \
  int name(int dir, const char *path, int flags, ...) { \
    va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
    return opened(REAL(name), dir, path, flags, mode); }
OPEN(open, openat)
OPEN(open64, openat64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
  pthread_mutex_lock(&lock);
  if (fd >= 0 && fd < FDS) traced[fd] = 0;
  int result = REAL(close)(fd);
  int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

/* What was written of the parts, as one record; the lock is held. */
static void record_write(int fd, int64_t at, const struct iovec *parts, int count, ssize_t written) {
  if (written <= 0) return;
  struct iovec kept[64];
  int used = 0;
  if (count > 64) abort();
  for (size_t left = (size_t)written; used < count && left > 0; used++) {
    kept[used] = parts[used];
    if (kept[used].iov_len > left) kept[used].iov_len = left;
    left -= kept[used].iov_len;
  }
  /* Without an offset it went where the descriptor stood: at the end, for what is appended to. */
  if (at < 0) at = lseek(fd, 0, SEEK_CUR) - written;
  record(WRITE, inode_of(fd), (uint64_t)at, kept, used);
}

#define TRACED_WRITE(at, parts, count, call) \
  if (!is_traced(fd)) return call; \
  pthread_mutex_lock(&lock); \
  ssize_t written = call; \
  int error = errno; \
  record_write(fd, at, parts, count, written); \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return written;

ssize_t write(int fd, const void *data, size_t bytes) {
  struct iovec part = {(void *)data, bytes};
  TRACED_WRITE(-1, &part, 1, REAL(write)(fd, data, bytes))
}
ssize_t writev(int fd, const struct iovec *parts, int count) { TRACED_WRITE(-1, parts, count, REAL(writev)(fd, parts, count)) }
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
  struct iovec part = {(void *)data, bytes};
  TRACED_WRITE(at, &part, 1, REAL(pwrite)(fd, data, bytes, at))
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
  struct iovec part = {(void *)data, bytes};
  TRACED_WRITE(at, &part, 1, REAL(pwrite64)(fd, data, bytes, at))
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  TRACED_WRITE(at, parts, count, REAL(pwritev)(fd, parts, count, at))
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  TRACED_WRITE(at, parts, count, REAL(pwritev64)(fd, parts, count, at))
}

/* A change that is one record: `call` gives 0 if it took effect. */
#define CHANGE(is_ours, call, recorded) \
  if (!(is_ours)) return call; \
  pthread_mutex_lock(&lock); \
  int result = call; \
  int error = errno; \
  if (result == 0) recorded; \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return result;

int ftruncate(int fd, off_t size) { CHANGE(is_traced(fd), REAL(ftruncate)(fd, size), record(TRUNCATE, inode_of(fd), (uint64_t)size, NULL, 0)) }
int ftruncate64(int fd, off64_t size) {
  CHANGE(is_traced(fd), REAL(ftruncate64)(fd, size), record(TRUNCATE, inode_of(fd), (uint64_t)size, NULL, 0))
}

int rename(const char *from, const char *to) {
  char a[PATH_MAX], b[PATH_MAX];
  int ours = trace_path(AT_FDCWD, from, a) && trace_path(AT_FDCWD, to, b);
  CHANGE(ours, REAL(rename)(from, to), record_path(RENAME, 0, a, b))
}
int link(const char *from, const char *to) {
  char a[PATH_MAX], b[PATH_MAX];
  int ours = trace_path(AT_FDCWD, from, a) && trace_path(AT_FDCWD, to, b);
  CHANGE(ours, REAL(link)(from, to), record_path(LINK, 0, a, b))
}
int unlink(const char *path) {
  char a[PATH_MAX];
  CHANGE(trace_path(AT_FDCWD, path, a), REAL(unlink)(path), record_path(UNLINK, 0, a, NULL))
}
int unlinkat(int dir, const char *path, int flags) {
  char a[PATH_MAX];
  CHANGE(trace_path(dir, path, a), REAL(unlinkat)(dir, path, flags), record_path(flags & AT_REMOVEDIR ? RMDIR : UNLINK, 0, a, NULL))
}
int mkdir(const char *path, mode_t mode) {
  char a[PATH_MAX];
  struct stat facts;
  CHANGE(trace_path(AT_FDCWD, path, a), REAL(mkdir)(path, mode),
         record_path(MKDIR, stat(path, &facts) == 0 ? (uint64_t)facts.st_ino : 0, a, NULL))
}
int rmdir(const char *path) {
  char a[PATH_MAX];
  CHANGE(trace_path(AT_FDCWD, path, a), REAL(rmdir)(path), record_path(RMDIR, 0, a, NULL))
}

static int synced(int fd, int (*real)(int)) {
  if (!is_traced(fd)) return real(fd);
  pthread_mutex_lock(&lock);
  uint64_t token = ++syncs, inode = inode_of(fd);
  record(SYNC_BEGIN, inode, token, NULL, 0);
  pthread_mutex_unlock(&lock);
  int result = real(fd);
  int error = errno;
  if (result == 0) {
    pthread_mutex_lock(&lock);
    record(SYNC_END, inode, token, NULL, 0);
    pthread_mutex_unlock(&lock);
  }
  errno = error;
  return result;
}
int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

/*
 * LevelDB writes through streams, whose calls do not leave the C library. So a stream below the folder is one of our own
 * (fopencookie) that writes through the functions above, and a table knows its descriptor, which LevelDB syncs.
 */
static struct { FILE *stream; int fd; } streams[4096];

static ssize_t stream_write(void *cookie, const char *data, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t written = write((int)(intptr_t)cookie, data + done, bytes - done);
    if (written < 0) return 0; /* fopencookie's way to say that it failed */
    done += (size_t)written;
  }
  return (ssize_t)bytes;
}

static int stream_close(void *cookie) { return close((int)(intptr_t)cookie); }

/* The stream's place in the table; -1: not one of ours. The lock is held. */
static int place_of(FILE *stream) {
  for (int index = 0; index < 4096; index++) if (streams[index].stream == stream) return index;
  return -1;
}

static FILE *stream_opened(FILE *(*real)(const char *, const char *), const char *path, const char *mode) {
  char full[PATH_MAX];
  if (mode[0] == 'r' || !trace_path(AT_FDCWD, path, full)) return real(path, mode);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (mode[0] == 'w' ? O_TRUNC : O_APPEND), 0666);
  if (fd < 0) return NULL;
  FILE *stream = fopencookie((void *)(intptr_t)fd, mode, (cookie_io_functions_t){.write = stream_write, .close = stream_close});
  if (stream == NULL) abort();
  pthread_mutex_lock(&lock);
  int place = place_of(NULL);
  if (place < 0) abort();
  streams[place].stream = stream;
  streams[place].fd = fd;
  pthread_mutex_unlock(&lock);
  return stream;
}

FILE *fopen(const char *path, const char *mode) { return stream_opened(REAL(fopen), path, mode); }
FILE *fopen64(const char *path, const char *mode) { return stream_opened(REAL(fopen64), path, mode); }

int fileno(FILE *stream) {
  pthread_mutex_lock(&lock);
  int place = place_of(stream);
  int fd = place < 0 ? REAL(fileno)(stream) : streams[place].fd;
  pthread_mutex_unlock(&lock);
  return fd;
}

int fclose(FILE *stream) {
  pthread_mutex_lock(&lock);
  int place = stream == NULL ? -1 : place_of(stream);
  if (place >= 0) streams[place].stream = NULL;
  pthread_mutex_unlock(&lock);
  return REAL(fclose)(stream);
}
