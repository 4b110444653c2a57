package com.facebook.jni;

/** A Java object that is its own {@link HybridData}. */
public abstract class HybridClassBase extends HybridData {}
