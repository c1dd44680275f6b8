#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace muster {

// Bytes are std::string when owned and std::string_view when borrowed; what several connections
// send is encoded once and shared.
using SharedBytes = std::shared_ptr<const std::string>;

// Appends `value` in network byte order.
template <std::integral T>
void append_big_endian(std::string& out, T value) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = sizeof(T); i-- > 0;) {
        out.push_back(static_cast<char>(static_cast<std::uint8_t>(bits >> (8 * i))));
    }
}

// Reads a T in network byte order at `offset`. Requires: offset + sizeof(T) <= bytes.size().
template <std::integral T>
[[nodiscard]] T read_big_endian(std::string_view bytes, std::size_t offset) {
    using U = std::make_unsigned_t<T>;
    U bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        bits = static_cast<U>((static_cast<std::uint64_t>(bits) << 8U) |
                              static_cast<std::uint8_t>(bytes[offset + i]));
    }
    return static_cast<T>(bits);
}

}  // namespace muster
