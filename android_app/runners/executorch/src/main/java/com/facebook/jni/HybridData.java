package com.facebook.jni;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Owns a C++ object on behalf of a Java object.
 *
 * <p>libfbjni.so binds to the names in this package; their bodies are ours. What was not released
 * by {@link #resetNative()} is released after the garbage collector has found it, when the next
 * object is made.
 */
public class HybridData {
  private final Destructor mDestructor = new Destructor(this);

  public HybridData() {
    Destructor.releaseUnreachable();
  }

  /** Releases the C++ object now. */
  public synchronized void resetNative() {
    mDestructor.release();
  }

  public boolean isValid() {
    return mDestructor.mNativePointer != 0;
  }

  /** Holds the address of the C++ object; libfbjni.so sets the field by its name. */
  public static class Destructor extends PhantomReference<HybridData> {
    private static final ReferenceQueue<HybridData> UNREACHABLE = new ReferenceQueue<>();
    private static final Set<Destructor> ALIVE =
        Collections.synchronizedSet(new HashSet<Destructor>());

    private volatile long mNativePointer;

    Destructor(HybridData owner) {
      super(owner, UNREACHABLE);
      ALIVE.add(this);
    }

    /** Returns the number of objects whose C++ part was not released yet. */
    static int alive() {
      return ALIVE.size();
    }

    static void releaseUnreachable() {
      for (Object found = UNREACHABLE.poll(); found != null; found = UNREACHABLE.poll()) {
        ((Destructor) found).release();
      }
    }

    synchronized void release() {
      long pointer = mNativePointer;
      mNativePointer = 0;
      ALIVE.remove(this);
      if (pointer != 0) {
        deleteNative(pointer);
      }
    }

    static native void deleteNative(long pointer);
  }
}
