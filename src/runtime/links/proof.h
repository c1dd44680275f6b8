#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// The cage of OpenSSL's libcrypto.
namespace muster::runtime {

inline constexpr std::size_t kProofBytes = 32;

// HMAC-SHA256 (RFC 2104, FIPS 180-4) of `text`.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);

// In a time that does not depend on where they differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

// Bytes nobody can foretell, from the operating system through libcrypto.
[[nodiscard]] std::string secure_random(std::size_t size);

}  // namespace muster::runtime
