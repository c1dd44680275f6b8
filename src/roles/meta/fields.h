#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace muster::meta {

// The fields of commands and snapshots: numbers in network byte order, strings behind their length
// as 32 bits. Grammar: docs/protocol/meta_log.md.
inline void append_string(std::string& out, std::string_view value) {
    append_big_endian(out, static_cast<std::uint32_t>(value.size()));
    out += value;
}

// Reads fields one after the other. After the first that is cut or over its bound every read gives
// nothing and ok() is false.
class FieldReader {
public:
    explicit FieldReader(std::string_view bytes) : left_(bytes) {}

    template <std::unsigned_integral T>
    [[nodiscard]] T number() {
        if (!ok_ || left_.size() < sizeof(T)) {
            ok_ = false;
            return 0;
        }
        const T value = read_big_endian<T>(left_, 0);
        left_.remove_prefix(sizeof(T));
        return value;
    }

    [[nodiscard]] std::string_view string(std::size_t size_max) {
        const auto size = number<std::uint32_t>();
        if (!ok_ || size > size_max || size > left_.size()) {
            ok_ = false;
            return {};
        }
        const std::string_view value = left_.substr(0, size);
        left_.remove_prefix(size);
        return value;
    }

    void refuse() {
        ok_ = false;
    }
    [[nodiscard]] bool ok() const {
        return ok_;
    }
    // Everything was read and nothing stands behind it.
    [[nodiscard]] bool complete() const {
        return ok_ && left_.empty();
    }

private:
    std::string_view left_;
    bool ok_ = true;
};

}  // namespace muster::meta
