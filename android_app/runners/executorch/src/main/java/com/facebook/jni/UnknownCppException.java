package com.facebook.jni;

/** Something thrown in C++ that is no std::exception. */
public class UnknownCppException extends CppException {
  private static final long serialVersionUID = 1;

  public UnknownCppException() {
    super("an unknown exception of C++");
  }

  public UnknownCppException(String message) {
    super(message);
  }
}
