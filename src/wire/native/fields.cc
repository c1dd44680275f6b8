#include "wire/native/fields.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "base/utf8.h"

namespace muster::native {
namespace {

constexpr std::size_t kVarintBytesMax = 10;
constexpr std::uint64_t kTagMax = 0xffff'ffffU;

constexpr std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    while (value >= 0x80U) {
        value >>= 7U;
        ++size;
    }
    return size;
}

std::size_t put_varint(char* at, std::uint64_t value) {
    std::size_t size = 0;
    while (value >= 0x80U) {
        at[size++] = static_cast<char>(static_cast<std::uint8_t>(value | 0x80U));
        value >>= 7U;
    }
    at[size++] = static_cast<char>(static_cast<std::uint8_t>(value));
    return size;
}

}  // namespace

bool FieldReader::fail() {
    broken_ = true;
    rest_ = {};
    return false;
}

bool FieldReader::read_varint(std::uint64_t& value) {
    value = 0;
    const std::size_t available = rest_.size() < kVarintBytesMax ? rest_.size() : kVarintBytesMax;
    for (std::size_t i = 0; i < available; ++i) {
        const auto byte = static_cast<std::uint8_t>(rest_[i]);
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << (7 * i);
        if (byte < 0x80U) {
            if (i == kVarintBytesMax - 1 && byte > 1) {
                return fail();  // more than 64 bits
            }
            rest_.remove_prefix(i + 1);
            return true;
        }
    }
    return fail();
}

bool FieldReader::read_fixed(std::size_t size, std::uint64_t& value) {
    if (rest_.size() < size) {
        return fail();
    }
    value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(size);
    return true;
}

bool FieldReader::next(Field& field) {
    if (rest_.empty()) {
        return false;
    }
    std::uint64_t tag = 0;
    if (!read_varint(tag)) {
        return false;
    }
    if (tag > kTagMax || (tag >> 3U) == 0) {
        return fail();
    }
    field.number = static_cast<std::uint32_t>(tag >> 3U);
    field.type = static_cast<WireType>(tag & 7U);
    field.bytes = {};
    switch (field.type) {
        case WireType::varint: return read_varint(field.value);
        case WireType::fixed64: return read_fixed(8, field.value);
        case WireType::fixed32: return read_fixed(4, field.value);
        case WireType::bytes: {
            std::uint64_t size = 0;
            if (!read_varint(size)) {
                return false;
            }
            if (size > rest_.size()) {
                return fail();
            }
            field.value = 0;
            field.bytes = rest_.substr(0, size);
            rest_.remove_prefix(size);
            return true;
        }
    }
    return fail();
}

void FieldWriter::raw_varint(std::uint64_t value) {
    std::array<char, kVarintBytesMax> buffer;
    out_.append(buffer.data(), put_varint(buffer.data(), value));
}

void FieldWriter::tag(std::uint32_t number, WireType type) {
    raw_varint(std::uint64_t{number} << 3U | static_cast<std::uint64_t>(type));
}

void FieldWriter::varint(std::uint32_t number, std::uint64_t value) {
    if (value != 0) {
        tag(number, WireType::varint);
        raw_varint(value);
    }
}

void FieldWriter::fixed64(std::uint32_t number, std::uint64_t value) {
    if (value == 0) {
        return;
    }
    tag(number, WireType::fixed64);
    std::array<char, 8> buffer;
    for (std::size_t i = 0; i < buffer.size(); ++i) {
        buffer[i] = static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    out_.append(buffer.data(), buffer.size());
}

void FieldWriter::bytes(std::uint32_t number, std::string_view value) {
    if (!value.empty()) {
        element(number, value);
    }
}

void FieldWriter::element(std::uint32_t number, std::string_view value) {
    tag(number, WireType::bytes);
    raw_varint(value.size());
    out_.append(value);
}

FieldWriter::Mark FieldWriter::begin(std::uint32_t number, std::size_t expected_size) {
    tag(number, WireType::bytes);
    const std::size_t reserved = varint_size(expected_size);
    out_.append(reserved, '\0');
    return {.content = out_.size(), .reserved = reserved};
}

void FieldWriter::end(Mark mark) {
    CHECK(mark.content <= out_.size() && mark.content >= mark.reserved);
    const std::size_t size = out_.size() - mark.content;
    const std::size_t needed = varint_size(size);
    if (needed > mark.reserved) {
        out_.insert(mark.content, needed - mark.reserved, '\0');
    } else if (needed < mark.reserved) {
        out_.erase(mark.content - (mark.reserved - needed), mark.reserved - needed);
    }
    put_varint(out_.data() + (mark.content - mark.reserved), size);
}

bool is_utf8(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        // Eight ASCII characters at a time: nearly all names are nothing else.
        if (text.size() - i >= sizeof(std::uint64_t)) {
            std::uint64_t chunk = 0;
            std::memcpy(&chunk, text.data() + i, sizeof(chunk));
            if ((chunk & 0x8080'8080'8080'8080U) == 0) {
                i += sizeof(chunk);
                continue;
            }
        }
        if (static_cast<std::uint8_t>(text[i]) < 0x80U) {
            ++i;
            continue;
        }
        std::string_view rest = text.substr(i);
        if (!take_code_point(rest)) {
            return false;
        }
        i = text.size() - rest.size();
    }
    return true;
}

}  // namespace muster::native
