/*
 * Start a class on Android's runtime, as `java` does on a JVM.
 *
 *     launcher OPTION... MAIN ARGUMENT...
 *
 * The exit code is 1 where the class ends with an exception, and 3 where the runtime does not
 * start.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <jni.h>

enum { STARTED = 0, THREW = 1, NO_RUNTIME = 3, LONGEST = 64 };

/* The interpreter takes native stack for each call, and documents nest thousands deep. */
static const size_t kStack = (size_t)512 << 20;

static char **words;

static int run(JNIEnv *env, char **word) {
  jclass type = (*env)->FindClass(env, *word++);
  if (type == NULL) return THREW;
  jmethodID start = (*env)->GetStaticMethodID(env, type, "main", "([Ljava/lang/String;)V");
  if (start == NULL) return THREW;
  int count = 0;
  while (word[count] != NULL) count++;
  jclass text = (*env)->FindClass(env, "java/lang/String");
  jobjectArray given = (*env)->NewObjectArray(env, count, text, NULL);
  for (int i = 0; i < count; i++) {
    (*env)->SetObjectArrayElement(env, given, i, (*env)->NewStringUTF(env, word[i]));
  }
  (*env)->CallStaticVoidMethod(env, type, start, given);
  return STARTED;
}

static void *start(void *unused) {
  (void)unused;
  JavaVMOption options[LONGEST] = {{0}};
  JavaVMInitArgs given = {JNI_VERSION_1_6, 0, options, JNI_FALSE};
  char **word = words;
  while (*word != NULL && **word == '-' && given.nOptions < LONGEST) {
    options[given.nOptions++].optionString = *word++;
  }
  if (*word == NULL) {
    fputs("usage: launcher OPTION... MAIN ARGUMENT...\n", stderr);
    _exit(NO_RUNTIME);
  }
  /* The runtime asks for it by this name, while all who need it name it with its version. */
  if (dlopen("libnativehelper.so", RTLD_NOW | RTLD_GLOBAL) == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    _exit(NO_RUNTIME);
  }
  JavaVM *machine;
  JNIEnv *env;
  if (JNI_CreateJavaVM(&machine, &env, &given) != JNI_OK) _exit(NO_RUNTIME);
  int code = run(env, word);
  if ((*env)->ExceptionCheck(env)) {
    (*env)->ExceptionDescribe(env);
    code = THREW;
  }
  /* Without an end of the runtime: its threads would have to end first. */
  fflush(NULL);
  _exit(code);
}

int main(int count, char **given) {
  (void)count;
  words = given + 1;
  pthread_attr_t large;
  pthread_t thread;
  pthread_attr_init(&large);
  pthread_attr_setstacksize(&large, kStack);
  if (pthread_create(&thread, &large, start, NULL) != 0) return NO_RUNTIME;
  pthread_join(thread, NULL);
  return NO_RUNTIME;
}
