#include "wire/hessian/reader.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.h"

namespace muster::hessian {
namespace {

constexpr std::size_t kListReserveMax = 64;

std::unexpected<Error> over(std::string_view what) {
    return fail(Errc::too_large, std::string(what));
}

// One run over one content, with the tables that references, types and classes of it point into.
class Reader {
public:
    Reader(std::string_view bytes, const HessianLimits& limits) : bytes_(bytes), limits_(limits) {}

    Result<Value> value();

    [[nodiscard]] std::size_t position() const {
        return at_;
    }

private:
    [[nodiscard]] std::unexpected<Error> malformed(std::string_view what) const {
        return fail(Errc::bad_content, std::string(what) + " at byte " + std::to_string(at_));
    }
    [[nodiscard]] std::unexpected<Error> cut() const {
        return fail(Errc::bad_content, "cut at byte " + std::to_string(at_));
    }
    [[nodiscard]] std::size_t left() const {
        return bytes_.size() - at_;
    }
    [[nodiscard]] bool next_is(char tag) const {
        return at_ < bytes_.size() && bytes_[at_] == tag;
    }

    template <typename T>
    Result<T> number() {
        if (left() < sizeof(T)) {
            return cut();
        }
        const auto value = read_big_endian<T>(bytes_, at_);
        at_ += sizeof(T);
        return value;
    }

    Result<std::uint8_t> tag() {
        return number<std::uint8_t>();
    }
    // An int in any of its forms.
    Result<std::int32_t> integer();
    // `count` units, appended in wire form.
    Result<void> units(std::size_t count, std::string& out);
    Result<Text> text(std::uint8_t tag);
    Result<Binary> binary(std::uint8_t tag);
    // Null when the bytes at hand are no type.
    Result<TypePtr> type();
    Result<TypePtr> type_at(std::int32_t index) const;
    Result<void> class_definition();
    Result<void> skip_list_length();

    Result<Value> value_of(std::uint8_t tag);
    Result<std::optional<Value>> whole_number(std::uint8_t tag);
    Result<std::optional<Value>> real(std::uint8_t tag);
    Result<Value> list();
    Result<Value> list_of_known_type();
    Result<Value> map();
    Result<Value> object();
    Result<Value> reference(std::uint32_t slot) const;

    // Counts one list, map or object that begins, before its children are read.
    Result<void> enter();
    void leave() {
        --depth_;
    }

    std::string_view bytes_;
    const HessianLimits& limits_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t values_ = 0;
    std::size_t slots_ = 0;
    std::size_t class_fields_ = 0;
    std::vector<TypePtr> types_;
    std::vector<ClassShapePtr> classes_;
};

// Evaluates a Result and binds its value, or returns its error.
#define READ(name, expr)                                        \
    auto name##_read = (expr);                                  \
    if (!name##_read) {                                         \
        return std::unexpected(std::move(name##_read).error()); \
    }                                                           \
    auto& name = *name##_read

Result<void> Reader::units(std::size_t count, std::string& out) {
    if (left() < count) {
        return cut();
    }
    if (const auto run = bytes_.substr(at_, count); is_ascii(run)) {
        out.append(run);
        at_ += count;
        return {};
    }
    for (; count > 0; --count) {
        if (left() == 0) {
            return cut();
        }
        const auto lead = static_cast<std::uint8_t>(bytes_[at_]);
        const std::size_t size = lead < 0x80 ? 1 : (lead & 0xe0U) == 0xc0 ? 2 : 3;
        if (size == 3 && (lead & 0xf0U) != 0xe0) {
            return malformed("no character of a string");
        }
        if (left() < size) {
            return cut();
        }
        if (size == 1) {
            out.push_back(bytes_[at_]);
        } else {
            std::uint32_t unit = lead & (size == 2 ? 0x1fU : 0x0fU);
            for (std::size_t i = 1; i < size; ++i) {
                const auto next = static_cast<std::uint8_t>(bytes_[at_ + i]);
                if ((next & 0xc0U) != 0x80) {
                    return malformed("no character of a string");
                }
                unit = unit << 6U | (next & 0x3fU);
            }
            append_unit(out, unit);
        }
        at_ += size;
    }
    return {};
}

Result<Text> Reader::text(std::uint8_t tag) {
    Text text;
    while (true) {
        const bool is_short = tag <= 0x1f;
        if (!is_short && tag != 'S' && tag != 's') {
            return malformed("no string");
        }
        std::size_t count = tag;
        if (!is_short) {
            READ(length, number<std::uint16_t>());
            count = length;
        }
        MUSTER_TRY(units(count, text.units));
        if (text.units.size() > limits_.string_bytes_max) {
            return over("string over the limit");
        }
        if (tag != 's') {
            return text;
        }
        READ(next, this->tag());
        tag = next;
    }
}

Result<Binary> Reader::binary(std::uint8_t tag) {
    Binary binary;
    while (true) {
        const bool is_short = tag >= 0x20 && tag <= 0x2f;
        if (!is_short && tag != 'B' && tag != 'b') {
            return malformed("no byte array");
        }
        std::size_t count = tag - 0x20U;
        if (!is_short) {
            READ(length, number<std::uint16_t>());
            count = length;
        }
        if (left() < count) {
            return cut();
        }
        binary.bytes.append(bytes_.substr(at_, count));
        at_ += count;
        if (binary.bytes.size() > limits_.string_bytes_max) {
            return over("byte array over the limit");
        }
        if (tag != 'b') {
            return binary;
        }
        READ(next, this->tag());
        tag = next;
    }
}

Result<std::optional<Value>> Reader::whole_number(std::uint8_t tag) {
    if (tag >= 0x80 && tag <= 0xbf) {
        return Value{std::int32_t{tag} - 0x90};
    }
    if (tag >= 0xc0 && tag <= 0xcf) {
        READ(low, number<std::uint8_t>());
        return Value{(std::int32_t{tag} - 0xc8) * 0x100 + low};
    }
    if (tag >= 0xd0 && tag <= 0xd7) {
        READ(low, number<std::uint16_t>());
        return Value{(std::int32_t{tag} - 0xd4) * 0x10000 + low};
    }
    if (tag == 'I') {
        READ(all, number<std::int32_t>());
        return Value{all};
    }
    if (tag >= 0xd8 && tag <= 0xef) {
        return Value{std::int64_t{tag} - 0xe0};
    }
    if (tag >= 0xf0) {
        READ(low, number<std::uint8_t>());
        return Value{(std::int64_t{tag} - 0xf8) * 0x100 + low};
    }
    if (tag >= 0x38 && tag <= 0x3f) {
        READ(low, number<std::uint16_t>());
        return Value{(std::int64_t{tag} - 0x3c) * 0x10000 + low};
    }
    if (tag == 'w') {
        READ(low, number<std::int32_t>());
        return Value{std::int64_t{low}};
    }
    if (tag == 'L') {
        READ(all, number<std::int64_t>());
        return Value{all};
    }
    return std::nullopt;
}

Result<std::optional<Value>> Reader::real(std::uint8_t tag) {
    switch (tag) {
        case 0x67: return Value{Double{0.0}};
        case 0x68: return Value{Double{1.0}};
        case 0x69: {
            READ(whole, number<std::int8_t>());
            return Value{Double{static_cast<double>(whole)}};
        }
        case 0x6a: {
            READ(whole, number<std::int16_t>());
            return Value{Double{static_cast<double>(whole)}};
        }
        case 0x6b: {
            READ(bits, number<std::uint32_t>());
            return Value{Double{static_cast<double>(std::bit_cast<float>(bits))}};
        }
        case 'D': {
            READ(bits, number<std::uint64_t>());
            return Value{Double{std::bit_cast<double>(bits)}};
        }
        default: return std::nullopt;
    }
}

Result<std::int32_t> Reader::integer() {
    READ(tag, this->tag());
    READ(number, whole_number(tag));
    if (const auto* value = number ? number->get<std::int32_t>() : nullptr) {
        return *value;
    }
    return malformed("no int");
}

Result<TypePtr> Reader::type_at(std::int32_t index) const {
    if (index < 0 || static_cast<std::size_t>(index) >= types_.size()) {
        return malformed("unknown type index");
    }
    return types_[static_cast<std::size_t>(index)];
}

Result<TypePtr> Reader::type() {
    if (next_is('t')) {
        ++at_;
        READ(length, number<std::uint16_t>());
        if (types_.size() >= limits_.classes_max) {
            return over("more type names than the limit");
        }
        auto name = std::make_shared<Text>();
        MUSTER_TRY(units(length, name->units));
        types_.push_back(name);
        return name;
    }
    if (next_is('u') || next_is('T')) {
        ++at_;
        READ(index, integer());
        return type_at(index);
    }
    return nullptr;
}

Result<void> Reader::class_definition() {
    READ(name_length, integer());
    if (name_length < 0) {
        return malformed("negative length of a class name");
    }
    if (classes_.size() >= limits_.classes_max) {
        return over("more class definitions than the limit");
    }
    auto shape = std::make_shared<ClassShape>();
    MUSTER_TRY(units(static_cast<std::size_t>(name_length), shape->name.units));
    READ(field_count, integer());
    if (field_count < 0) {
        return malformed("negative count of fields");
    }
    class_fields_ += static_cast<std::size_t>(field_count);
    if (class_fields_ > limits_.class_fields_max) {
        return over("more fields of classes than the limit");
    }
    for (std::int32_t i = 0; i < field_count; ++i) {
        READ(tag, this->tag());
        READ(field, text(tag));
        shape->fields.push_back(std::move(field));
    }
    classes_.push_back(std::move(shape));
    return {};
}

Result<void> Reader::enter() {
    if (++depth_ > limits_.depth_max) {
        return over("nested deeper than the limit");
    }
    if (++slots_ > limits_.references_max) {
        return over("more lists, maps and objects than the limit");
    }
    return {};
}

// The length of a list that has an end mark says nothing: Java reads to the mark, too.
Result<void> Reader::skip_list_length() {
    if (next_is('n')) {
        ++at_;
        READ(length, number<std::uint8_t>());
        static_cast<void>(length);
    } else if (next_is('l')) {
        ++at_;
        READ(length, number<std::uint32_t>());
        static_cast<void>(length);
    }
    return {};
}

Result<Value> Reader::list() {
    List list;
    READ(name, type());
    list.type = std::move(name);
    MUSTER_TRY(skip_list_length());
    MUSTER_TRY(enter());
    while (!next_is('z')) {
        if (list.items.size() >= limits_.list_items_max) {
            return over("list over the limit");
        }
        READ(item, value());
        list.items.push_back(std::move(item));
    }
    ++at_;
    leave();
    return Value{std::move(list)};
}

Result<Value> Reader::list_of_known_type() {
    List list;
    READ(index, integer());
    READ(name, type_at(index));
    list.type = std::move(name);
    READ(count, integer());
    if (count < 0) {
        return malformed("negative length of a list");
    }
    const auto size = static_cast<std::size_t>(count);
    if (size > limits_.list_items_max) {
        return over("list over the limit");
    }
    if (size > left()) {
        return cut();
    }
    MUSTER_TRY(enter());
    list.items.reserve(std::min(size, kListReserveMax));
    for (std::size_t i = 0; i < size; ++i) {
        READ(item, value());
        list.items.push_back(std::move(item));
    }
    leave();
    return Value{std::move(list)};
}

Result<Value> Reader::map() {
    Map map;
    READ(name, type());
    map.type = std::move(name);
    MUSTER_TRY(enter());
    while (!next_is('z')) {
        if (map.entries.size() >= limits_.list_items_max) {
            return over("map over the limit");
        }
        READ(key, value());
        READ(entry, value());
        map.entries.push_back({std::move(key), std::move(entry)});
    }
    ++at_;
    leave();
    return Value{std::move(map)};
}

Result<Value> Reader::object() {
    READ(index, integer());
    if (index < 0 || static_cast<std::size_t>(index) >= classes_.size()) {
        return malformed("unknown class index");
    }
    Object object{.shape = classes_[static_cast<std::size_t>(index)]};
    const std::size_t size = object.shape->fields.size();
    if (size > left()) {
        return cut();
    }
    MUSTER_TRY(enter());
    object.fields.reserve(std::min(size, kListReserveMax));
    for (std::size_t i = 0; i < size; ++i) {
        READ(field, value());
        object.fields.push_back(std::move(field));
    }
    leave();
    return Value{std::move(object)};
}

Result<Value> Reader::reference(std::uint32_t slot) const {
    if (slot >= slots_) {
        return malformed("reference to nothing");
    }
    return Value{Ref{slot}};
}

Result<Value> Reader::value() {
    READ(first, tag());
    while (first == 'O') {
        MUSTER_TRY(class_definition());
        READ(next, tag());
        first = next;
    }
    if (++values_ > limits_.values_max) {
        return over("more values than the limit");
    }
    return value_of(first);
}

Result<Value> Reader::value_of(std::uint8_t tag) {
    if (tag <= 0x1f || tag == 'S' || tag == 's') {
        READ(string, text(tag));
        return Value{std::move(string)};
    }
    READ(whole, whole_number(tag));
    if (whole) {
        return std::move(*whole);
    }
    READ(fraction, real(tag));
    if (fraction) {
        return std::move(*fraction);
    }
    switch (tag) {
        case 'N': return Value{Null{}};
        case 'T': return Value{true};
        case 'F': return Value{false};
        case 'V': return list();
        case 'v': return list_of_known_type();
        case 'M': return map();
        case 'o': return object();
        case 'd': {
            READ(unix_ms, number<std::int64_t>());
            return Value{Date{unix_ms}};
        }
        case 'J': {
            READ(slot, number<std::uint8_t>());
            return reference(slot);
        }
        case 'K': {
            READ(slot, number<std::uint16_t>());
            return reference(slot);
        }
        case 'R': {
            READ(slot, number<std::uint32_t>());
            return reference(slot);
        }
        default: break;
    }
    if ((tag >= 0x20 && tag <= 0x2f) || tag == 'B' || tag == 'b') {
        READ(bytes, binary(tag));
        return Value{std::move(bytes)};
    }
    --at_;
    return malformed("unknown tag");
}

#undef READ

}  // namespace

Result<ReadValue> read_value(std::string_view bytes, const HessianLimits& limits) {
    Reader reader(bytes, limits);
    auto value = reader.value();
    if (!value) {
        return std::unexpected(std::move(value).error());
    }
    return ReadValue{.value = *std::move(value), .size = reader.position()};
}

}  // namespace muster::hessian
