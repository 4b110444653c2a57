package com.facebook.jni;

/** An exception of C++ that reached Java. */
public class CppException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CppException(String message) {
    super(message);
  }
}
