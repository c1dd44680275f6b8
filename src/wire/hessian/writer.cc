#include "wire/hessian/writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/bytes.h"
#include "base/check.h"

namespace muster::hessian {
namespace {

constexpr std::size_t kChunkMax = 0x8000;
constexpr std::size_t kShortStringMax = 0x1f;
constexpr std::size_t kShortBinaryMax = 0x0f;

// Bytes of the first `units` units; one less when the last of them would be a high surrogate.
struct Chunk {
    std::size_t units = 0;
    std::size_t bytes = 0;
};

std::size_t unit_bytes(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : 3;
}

Chunk chunk_of(std::string_view text) {
    Chunk chunk;
    std::size_t last = 0;
    while (chunk.units < kChunkMax) {
        last = chunk.bytes;
        chunk.bytes += unit_bytes(text, chunk.bytes);
        ++chunk.units;
    }
    const bool ends_in_high_surrogate =
        static_cast<unsigned char>(text[last]) == 0xed &&
        (static_cast<unsigned char>(text[last + 1]) & 0xf0U) == 0xa0;
    if (ends_in_high_surrogate) {
        chunk = {.units = chunk.units - 1, .bytes = last};
    }
    return chunk;
}

// A tag and a count of 16 bits.
void append_counted(std::string& out, char tag, std::size_t count) {
    const std::array<char, 3> bytes{tag, static_cast<char>(count >> 8U), static_cast<char>(count)};
    out.append(bytes.data(), bytes.size());
}

template <typename T>
bool fits(std::int64_t value) {
    return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

// The forms that int and long share, each with its own tags: value in two bytes, in three bytes.
template <typename T>
bool append_compact(std::string& out, T value, unsigned two_byte_zero, unsigned three_byte_zero) {
    if (value >= -0x800 && value <= 0x7ff) {
        out.push_back(static_cast<char>(static_cast<T>(two_byte_zero) + (value >> 8)));
        out.push_back(static_cast<char>(value));
        return true;
    }
    if (value >= -0x40000 && value <= 0x3ffff) {
        out.push_back(static_cast<char>(static_cast<T>(three_byte_zero) + (value >> 16)));
        append_big_endian(out, static_cast<std::int16_t>(value));
        return true;
    }
    return false;
}

}  // namespace

void Writer::null() {
    out_.push_back('N');
}

void Writer::boolean(bool value) {
    out_.push_back(value ? 'T' : 'F');
}

void Writer::int32(std::int32_t value) {
    if (value >= -16 && value <= 47) {
        out_.push_back(static_cast<char>(0x90 + value));
    } else if (!append_compact(out_, value, 0xc8, 0xd4)) {
        out_.push_back('I');
        append_big_endian(out_, value);
    }
}

void Writer::int64(std::int64_t value) {
    if (value >= -8 && value <= 15) {
        out_.push_back(static_cast<char>(0xe0 + value));
    } else if (append_compact(out_, value, 0xf8, 0x3c)) {
        return;
    } else if (fits<std::int32_t>(value)) {
        out_.push_back('w');
        append_big_endian(out_, static_cast<std::int32_t>(value));
    } else {
        out_.push_back('L');
        append_big_endian(out_, value);
    }
}

void Writer::real(double value) {
    constexpr double kIntLimit = 2147483648.0;
    if (std::abs(value) < kIntLimit && value == std::trunc(value)) {
        const auto whole = static_cast<std::int64_t>(value);
        if (whole == 0 || whole == 1) {
            out_.push_back(static_cast<char>(0x67 + whole));
            return;
        }
        if (fits<std::int8_t>(whole)) {
            out_.push_back(0x69);
            append_big_endian(out_, static_cast<std::int8_t>(whole));
            return;
        }
        if (fits<std::int16_t>(whole)) {
            out_.push_back(0x6a);
            append_big_endian(out_, static_cast<std::int16_t>(whole));
            return;
        }
    }
    const bool in_float_range = std::abs(value) <= std::numeric_limits<float>::max();
    const bool is_float =
        std::isinf(value) ||
        (in_float_range && static_cast<double>(static_cast<float>(value)) == value);
    if (is_float) {
        out_.push_back(0x6b);
        append_big_endian(out_, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    } else {
        out_.push_back('D');
        append_big_endian(out_, std::bit_cast<std::uint64_t>(value));
    }
}

void Writer::date(Date value) {
    out_.push_back('d');
    append_big_endian(out_, value.unix_ms);
}

void Writer::text(const Text& value) {
    wire_text(value.units, count_units(value.units));
}

void Writer::utf8(std::string_view value) {
    if (is_ascii(value)) {
        wire_text(value, value.size());
        return;
    }
    scratch_.clear();
    append_units(scratch_, value);
    wire_text(scratch_, count_units(scratch_));
}

void Writer::wire_text(std::string_view units, std::size_t left) {
    while (left > kChunkMax) {
        const Chunk chunk = chunk_of(units);
        append_counted(out_, 's', chunk.units);
        out_.append(units.substr(0, chunk.bytes));
        units.remove_prefix(chunk.bytes);
        left -= chunk.units;
    }
    if (left <= kShortStringMax) {
        out_.push_back(static_cast<char>(left));
    } else {
        append_counted(out_, 'S', left);
    }
    out_.append(units);
}

void Writer::binary(std::string_view bytes) {
    while (bytes.size() > kChunkMax) {
        append_counted(out_, 'b', kChunkMax);
        out_.append(bytes.substr(0, kChunkMax));
        bytes.remove_prefix(kChunkMax);
    }
    if (bytes.size() <= kShortBinaryMax) {
        out_.push_back(static_cast<char>(0x20 + bytes.size()));
    } else {
        append_counted(out_, 'B', bytes.size());
    }
    out_.append(bytes);
}

void Writer::reference(std::uint32_t slot) {
    if (slot <= std::numeric_limits<std::uint8_t>::max()) {
        out_.push_back('J');
        append_big_endian(out_, static_cast<std::uint8_t>(slot));
    } else if (slot <= std::numeric_limits<std::uint16_t>::max()) {
        out_.push_back('K');
        append_big_endian(out_, static_cast<std::uint16_t>(slot));
    } else {
        out_.push_back('R');
        append_big_endian(out_, slot);
    }
}

std::optional<std::int32_t> Writer::index_of_type(const TypePtr& type) const {
    const auto found = std::ranges::find_if(
        types_, [&](const TypePtr& known) { return known == type || *known == *type; });
    if (found == types_.end()) {
        return std::nullopt;
    }
    return static_cast<std::int32_t>(found - types_.begin());
}

void Writer::type(const TypePtr& type) {
    if (const auto index = index_of_type(type)) {
        out_.push_back('u');
        int32(*index);
        return;
    }
    types_.push_back(type);
    out_.push_back('t');
    append_big_endian(out_, static_cast<std::uint16_t>(count_units(type->units)));
    out_.append(type->units);
}

void Writer::begin_list(const TypePtr& list_type, std::size_t size) {
    CHECK(size <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
    const auto index = list_type ? index_of_type(list_type) : std::nullopt;
    open_lists_.push_back(!index.has_value());
    if (index) {
        out_.push_back('v');
        int32(*index);
        int32(static_cast<std::int32_t>(size));
        return;
    }
    out_.push_back('V');
    if (list_type) {
        type(list_type);
    }
    if (size <= std::numeric_limits<std::uint8_t>::max()) {
        out_.push_back('n');
        append_big_endian(out_, static_cast<std::uint8_t>(size));
    } else {
        out_.push_back('l');
        append_big_endian(out_, static_cast<std::uint32_t>(size));
    }
}

void Writer::end_list() {
    CHECK(!open_lists_.empty());
    if (open_lists_.back()) {
        out_.push_back('z');
    }
    open_lists_.pop_back();
}

void Writer::begin_map(const TypePtr& map_type) {
    out_.push_back('M');
    if (map_type) {
        type(map_type);
    }
}

void Writer::end_map() {
    out_.push_back('z');
}

void Writer::begin_object(const ClassShape& shape) {
    const auto found = std::ranges::find(classes_, &shape);
    const auto index = static_cast<std::int32_t>(found - classes_.begin());
    if (found == classes_.end()) {
        classes_.push_back(&shape);
        out_.push_back('O');
        int32(static_cast<std::int32_t>(count_units(shape.name.units)));
        out_.append(shape.name.units);
        int32(static_cast<std::int32_t>(shape.fields.size()));
        for (const Text& field : shape.fields) {
            text(field);
        }
    }
    out_.push_back('o');
    int32(index);
}

void Writer::value(const Value& tree) {
    std::visit(
        [this](const auto& as) {
            using T = std::decay_t<decltype(as)>;
            if constexpr (std::is_same_v<T, Null>) {
                null();
            } else if constexpr (std::is_same_v<T, bool>) {
                boolean(as);
            } else if constexpr (std::is_same_v<T, std::int32_t>) {
                int32(as);
            } else if constexpr (std::is_same_v<T, std::int64_t>) {
                int64(as);
            } else if constexpr (std::is_same_v<T, Double>) {
                real(as.value);
            } else if constexpr (std::is_same_v<T, Date>) {
                date(as);
            } else if constexpr (std::is_same_v<T, Text>) {
                text(as);
            } else if constexpr (std::is_same_v<T, Binary>) {
                binary(as.bytes);
            } else if constexpr (std::is_same_v<T, Ref>) {
                reference(as.slot);
            } else if constexpr (std::is_same_v<T, List>) {
                begin_list(as.type, as.items.size());
                for (const Value& item : as.items) {
                    value(item);
                }
                end_list();
            } else if constexpr (std::is_same_v<T, Map>) {
                begin_map(as.type);
                for (const auto& [key, entry] : as.entries) {
                    value(key);
                    value(entry);
                }
                end_map();
            } else {
                begin_object(*as.shape);
                for (const Value& field : as.fields) {
                    value(field);
                }
            }
        },
        tree.as);
}

std::string write_value(const Value& tree) {
    std::string out;
    Writer(out).value(tree);
    return out;
}

}  // namespace muster::hessian
