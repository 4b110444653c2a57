/* Names and meanings of Android's C library (bionic), for Android libraries that run on glibc.
 *
 * The x86_64 twins of the libraries in the app are loaded by a Java machine on Linux, to run the
 * app's own code on them. Both C libraries follow the System V ABI and use the kernel's structures,
 * so most functions agree. Three groups do not:
 *
 *   1. names that only bionic has: defined here under their own name;
 *   2. functions whose constants or structures differ: patch_elf.py renames them in the libraries
 *      to the same name with a capital, so that `Sysconf` below is bionic's `sysconf`, and the Java
 *      machine keeps its own;
 *   3. functions on files, which may get one of bionic's `__sF`: renamed in the same way.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>
#include <wchar.h>

/* 1. Names that only bionic has. The `_chk` functions check sizes that the compiler knew. */

int *__errno(void) { return __errno_location(); }

size_t __strlen_chk(const char *text, size_t size) {
  size_t length = strlen(text);
  if (length >= size) abort();
  return length;
}

char *__strchr_chk(const char *text, int character, size_t size) {
  (void)size;
  return strchr(text, character);
}

char *__strrchr_chk(const char *text, int character, size_t size) {
  (void)size;
  return strrchr(text, character);
}

ssize_t __write_chk(int file, const void *data, size_t count, size_t size) {
  if (count > size) abort();
  return write(file, data, count);
}

void __FD_SET_chk(int file, fd_set *set, size_t size) {
  (void)size;
  FD_SET(file, set);
}

int __FD_ISSET_chk(int file, const fd_set *set, size_t size) {
  (void)size;
  return FD_ISSET(file, set) != 0;
}

/* bionic has strerror_r twice: POSIX's under the plain name (group 2), GNU's under this one. */
char *__gnu_strerror_r(int number, char *text, size_t size) {
  return strerror_r(number, text, size);
}

void __assert2(const char *file, int line, const char *function, const char *claim) {
  fprintf(stderr, "%s:%d: %s: assertion \"%s\" failed\n", file, line, function, claim);
  abort();
}

void android_set_abort_message(const char *message) { fprintf(stderr, "%s\n", message); }

/* The only property is Android's version: TensorFlow Lite asks for it before it uses XNNPACK. */
int __system_property_get(const char *name, char *value) {
  strcpy(value, strcmp(name, "ro.build.version.sdk") == 0 ? "34" : "");
  return strlen(value);
}

/* liblog writes to stderr. */
int __android_log_write(int priority, const char *tag, const char *message) {
  return fprintf(stderr, "%d %s: %s\n", priority, tag ? tag : "", message);
}

int __android_log_vprint(int priority, const char *tag, const char *format, va_list values) {
  char message[4096];
  vsnprintf(message, sizeof message, format, values);
  return __android_log_write(priority, tag, message);
}

int __android_log_print(int priority, const char *tag, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int written = __android_log_vprint(priority, tag, format, values);
  va_end(values);
  return written;
}

void __android_log_assert(const char *claim, const char *tag, const char *format, ...) {
  va_list values;
  if (format) {
    va_start(values, format);
    __android_log_vprint(7, tag, format, values);
    va_end(values);
  } else {
    __android_log_write(7, tag, claim ? claim : "assertion failed");
  }
  abort();
}

/* 2. The same name with other constants or structures. */

/* <bits/sysconf.h> of bionic numbers names in another order. */
long Sysconf(int name) {
  switch (name) {
    case 6: return sysconf(_SC_CLK_TCK);
    case 39: case 40: return sysconf(_SC_PAGESIZE);
    case 96: return sysconf(_SC_NPROCESSORS_CONF);
    case 97: return sysconf(_SC_NPROCESSORS_ONLN);
    case 98: return sysconf(_SC_PHYS_PAGES);
    case 99: return sysconf(_SC_AVPHYS_PAGES);
    default: errno = EINVAL; return -1;
  }
}

/* bionic counts from _PC_FILESIZEBITS, glibc from _PC_LINK_MAX, up to _PC_PIPE_BUF. */
long Pathconf(const char *path, int name) {
  if (name == 0) return pathconf(path, _PC_FILESIZEBITS);
  if (name <= 6) return pathconf(path, name - 1);
  errno = EINVAL;
  return -1;
}

int Strerror_r(int number, char *text, size_t size) {
  char room[256];
  snprintf(text, size, "%s", strerror_r(number, room, sizeof room));
  return 0;
}

/* A set of signals is 8 bytes for bionic, as for the kernel, and 128 for glibc. */
int Sigfillset(unsigned long *set) {
  *set = ~0ul;
  return 0;
}

int Pthread_sigmask(int how, const unsigned long *set, unsigned long *old) {
  sigset_t wide, wide_old;
  sigemptyset(&wide);
  if (set) memcpy(&wide, set, sizeof *set);
  int result = pthread_sigmask(how, set ? &wide : NULL, &wide_old);
  if (result == 0 && old) memcpy(old, &wide_old, sizeof *old);
  return result;
}

/* Where nothing global has a name, bionic looks into the caller's own library too. TensorFlow Lite
 * finds its XNNPACK in this way, and computes without it where that fails. */
void *Dlsym(void *library, const char *name) {
  void *symbol = dlsym(library, name);
  Dl_info caller;
  if (symbol || library != RTLD_DEFAULT || !dladdr(__builtin_return_address(0), &caller)) {
    return symbol;
  }
  void *own = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (own) {
    symbol = dlsym(own, name);
    dlclose(own);
  }
  return symbol;
}

/* XNNPACK in TensorFlow Lite 2.14 asks for 32 bytes, as phones need, and where a processor has
 * AVX-512 it loads 64 aligned ones from there. No phone has AVX-512; machines that test do. */
void *Memalign(size_t alignment, size_t size) {
  return memalign(alignment < 64 ? 64 : alignment, size);
}

/* 3. Functions on files. Libraries built for an API below 23 use the addresses of `__sF[0..2]` as
 * their standard streams. A FILE of bionic has 152 bytes; nothing is stored here. */

char __sF[3 * 152];

static FILE *stream(void *file) {
  char *place = file;
  if (place < __sF || place >= __sF + sizeof __sF) return file;
  switch ((place - __sF) / 152) {
    case 0: return stdin;
    case 1: return stdout;
    default: return stderr;
  }
}

int Vfprintf(void *file, const char *format, va_list values) {
  return vfprintf(stream(file), format, values);
}

int Fprintf(void *file, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int written = vfprintf(stream(file), format, values);
  va_end(values);
  return written;
}

size_t Fwrite(const void *data, size_t size, size_t count, void *file) {
  return fwrite(data, size, count, stream(file));
}

size_t Fread(void *data, size_t size, size_t count, void *file) {
  return fread(data, size, count, stream(file));
}

int Fputs(const char *text, void *file) { return fputs(text, stream(file)); }
int Fputc(int character, void *file) { return fputc(character, stream(file)); }
wint_t Fputwc(wchar_t character, void *file) { return fputwc(character, stream(file)); }
int Getc(void *file) { return getc(stream(file)); }
int Ungetc(int character, void *file) { return ungetc(character, stream(file)); }
wint_t Getwc(void *file) { return getwc(stream(file)); }
wint_t Ungetwc(wint_t character, void *file) { return ungetwc(character, stream(file)); }
int Fflush(void *file) { return fflush(file ? stream(file) : NULL); }
int Ferror(void *file) { return ferror(stream(file)); }
int Fileno(void *file) { return fileno(stream(file)); }
