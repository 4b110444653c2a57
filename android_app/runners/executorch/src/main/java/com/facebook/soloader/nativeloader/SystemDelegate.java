package com.facebook.soloader.nativeloader;

/** Loads libraries as the system does. */
public class SystemDelegate implements NativeLoaderDelegate {
  @Override
  public boolean loadLibrary(String name, int flags) {
    System.loadLibrary(name);
    return true;
  }
}
