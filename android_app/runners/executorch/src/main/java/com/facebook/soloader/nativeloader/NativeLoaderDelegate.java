package com.facebook.soloader.nativeloader;

/** Loads libraries by their name without `lib` and `.so`. */
public interface NativeLoaderDelegate {
  boolean loadLibrary(String name, int flags);
}
