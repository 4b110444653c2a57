/* Opens the Android libraries so that each uses its own copy of the C++ runtime.
 *
 * The Java machine has GNU's libstdc++ in the global scope. It and the libraries' libc++ share
 * names of the C++ ABI, such as `__gxx_personality_v0`, and throwing across the two ends the process. On
 * Android the libraries meet no other copy. RTLD_DEEPBIND gives the same here: a library looks into
 * itself and what it needs first. The Java machine offers no way to ask for it, so this stands in
 * front of its `dlopen`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

void *dlopen(const char *path, int mode) {
  static void *(*real)(const char *, int);
  if (!real) real = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
  const char *folder = getenv("MOBILEBENCH_BIONIC");
  if (path && folder && strncmp(path, folder, strlen(folder)) == 0) mode |= RTLD_DEEPBIND;
  return real(path, mode);
}
