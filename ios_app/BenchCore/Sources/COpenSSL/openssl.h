/* Ed25519 on Linux, for the conformance check only; Apple's systems have CryptoKit. */
#include <openssl/evp.h>
