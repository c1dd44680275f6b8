#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::native {

// The wire types of Protocol Buffers that proto3 uses
// (https://protobuf.dev/programming-guides/encoding).
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// One field as it stands on the wire.
struct Field {
    std::uint32_t number = 0;
    WireType type = WireType::varint;
    std::uint64_t value = 0;  // of varint, fixed64 and fixed32
    std::string_view bytes;   // of bytes; points into what is read
};

// Walks the fields of one encoded message without copying. Any input is safe: every length is
// checked against what is left. Groups (deprecated before proto3) are broken input.
//
//   FieldReader reader(bytes);
//   for (Field field; reader.next(field);) { ... }
//   if (reader.broken()) { ... }
class FieldReader {
public:
    explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

    // False at the end and when broken.
    [[nodiscard]] bool next(Field& field);
    [[nodiscard]] bool broken() const {
        return broken_;
    }

private:
    bool read_varint(std::uint64_t& value);
    bool read_fixed(std::size_t size, std::uint64_t& value);
    bool fail();

    std::string_view rest_;
    bool broken_ = false;
};

// Appends fields to a string in the canonical form: what protoc's C++ serialiser writes when called
// in the order of the field numbers.
class FieldWriter {
public:
    explicit FieldWriter(std::string& out) : out_(out) {}

    // Zero, false and empty are left out, as proto3 has it.
    void varint(std::uint32_t number, std::uint64_t value);
    void sint(std::uint32_t number, std::int64_t value) {
        varint(number, static_cast<std::uint64_t>(value));
    }
    void fixed64(std::uint32_t number, std::uint64_t value);
    void bytes(std::uint32_t number, std::string_view value);

    // Written when empty too: elements of a repeated field, and optional ones.
    void element(std::uint32_t number, std::string_view value);

    // A nested message: what is written between begin() and end() is its content. `expected_size`
    // is a guess at that; a good one saves a move of the bytes.
    struct Mark {
        std::size_t content = 0;
        std::size_t reserved = 0;
    };
    [[nodiscard]] Mark begin(std::uint32_t number, std::size_t expected_size);
    void end(Mark mark);

private:
    void raw_varint(std::uint64_t value);
    void tag(std::uint32_t number, WireType type);

    std::string& out_;
};

// Whether `text` is well-formed UTF-8 (RFC 3629): a proto3 string has to be.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace muster::native
