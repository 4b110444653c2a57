package com.facebook.jni;

/** Runs a C++ function; only C++ makes one. */
public class NativeRunnable implements Runnable {
  private final HybridData mHybridData;

  private NativeRunnable(HybridData hybridData) {
    mHybridData = hybridData;
  }

  @Override
  public native void run();
}
