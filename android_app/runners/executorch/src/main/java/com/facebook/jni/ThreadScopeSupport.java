package com.facebook.jni;

/** Lets C++ run a function on a thread that has this application's class loader. */
public class ThreadScopeSupport {
  private ThreadScopeSupport() {}

  private static void runStdFunction(long pointer) {
    runStdFunctionImpl(pointer);
  }

  private static native void runStdFunctionImpl(long pointer);
}
