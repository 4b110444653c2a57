package com.facebook.soloader.nativeloader;

/** Where ExecuTorch's classes ask for their library. */
public final class NativeLoader {
  private static NativeLoaderDelegate delegate;

  private NativeLoader() {}

  public static synchronized boolean isInitialized() {
    return delegate != null;
  }

  public static synchronized void init(NativeLoaderDelegate chosen) {
    delegate = chosen;
  }

  public static boolean loadLibrary(String name) {
    NativeLoaderDelegate loader;
    synchronized (NativeLoader.class) {
      loader = delegate;
    }
    if (loader == null) {
      throw new IllegalStateException("no loader of libraries was set");
    }
    return loader.loadLibrary(name, 0);
  }
}
