/*
 * What Android's core libraries call in their runtime by C names.
 *
 * On a phone libopenjdkjvm answers these from inside ART. Debian has no such library, so here the
 * C library answers, as far as a program without native libraries of its own needs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <dlfcn.h>
#include <jni.h>

#include "jvm.h"

namespace {

constexpr jlong kMemory = jlong{512} << 20;

void Spoil(char *text, int size) {
    if (size > 0) {
        text[size - 1] = 0;
    }
}

}  // namespace

extern "C" {

jlong JVM_CurrentTimeMillis(JNIEnv *, jclass) {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void JVM_Exit(jint code) {
    fflush(nullptr);
    _exit(code);
}

void JVM_GC() {}

jlong JVM_TotalMemory() { return kMemory; }

jlong JVM_FreeMemory() { return kMemory / 2; }

jlong JVM_MaxMemory() { return kMemory; }

jboolean JVM_IsNaN(jdouble number) { return number != number; }

jstring JVM_NativeLoad(JNIEnv *env, jstring, jobject, jclass) {
    return env->NewStringUTF("this runtime takes no native libraries of programs");
}

void *JVM_FindLibraryEntry(void *library, const char *name) { return dlsym(library, name); }

jint JVM_GetLastErrorString(char *text, int size) {
    if (errno == 0 || size < 1) {
        return 0;
    }
    strncpy(text, strerror(errno), size);
    Spoil(text, size);
    return strlen(text);
}

char *JVM_NativePath(char *path) { return path; }

jint JVM_Open(const char *name, jint flags, jint mode) {
    const int file = open(name, (flags & ~JVM_O_DELETE) | O_CLOEXEC, mode);
    if (file >= 0 && (flags & JVM_O_DELETE) != 0) {
        unlink(name);
    }
    return file < 0 && errno == EEXIST ? JVM_EEXIST : file;
}

jint JVM_Close(jint file) { return close(file); }

jint JVM_Read(jint file, char *to, jint size) { return TEMP_FAILURE_RETRY(read(file, to, size)); }

jint JVM_Write(jint file, char *from, jint size) {
    return TEMP_FAILURE_RETRY(write(file, from, size));
}

jlong JVM_Lseek(jint file, jlong offset, jint whence) { return lseek(file, offset, whence); }

jint JVM_Sync(jint file) { return fsync(file); }

jint JVM_InitializeSocketLibrary() { return 0; }

void *JVM_RawMonitorCreate() {
    auto *lock = new pthread_mutex_t;
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &kind);
    return lock;
}

void JVM_RawMonitorDestroy(void *lock) {
    pthread_mutex_destroy(static_cast<pthread_mutex_t *>(lock));
    delete static_cast<pthread_mutex_t *>(lock);
}

jint JVM_RawMonitorEnter(void *lock) {
    return pthread_mutex_lock(static_cast<pthread_mutex_t *>(lock));
}

void JVM_RawMonitorExit(void *lock) { pthread_mutex_unlock(static_cast<pthread_mutex_t *>(lock)); }

int jio_fprintf(FILE *to, const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    const int length = vfprintf(to, format, rest);
    va_end(rest);
    return length;
}

int jio_snprintf(char *to, size_t size, const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    const int length = vsnprintf(to, size, format, rest);
    va_end(rest);
    return length;
}

}  // extern "C"

/* Not built: they need libraries that the proof has no use for. */
void register_org_apache_harmony_xml_ExpatParser(JNIEnv *) {}
