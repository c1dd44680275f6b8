#include "runtime/links/proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace muster::runtime {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
    std::string made(kProofBytes, '\0');
    unsigned int size = 0;
    const unsigned char* done =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
             reinterpret_cast<unsigned char*>(made.data()), &size);
    CHECK_BECAUSE(done != nullptr && size == kProofBytes, "SHA-256 is always there");
    return made;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string secure_random(std::size_t size) {
    std::string made(size, '\0');
    const int done =
        RAND_bytes(reinterpret_cast<unsigned char*>(made.data()), static_cast<int>(size));
    CHECK_BECAUSE(done == 1, "the operating system has no randomness");
    return made;
}

}  // namespace muster::runtime
