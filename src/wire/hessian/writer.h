#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/hessian/value.h"

namespace muster::hessian {

// Writes one value, byte for byte as sofa-hessian's Hessian2Output does: numbers in their shortest
// form, strings in chunks of 0x8000 units, class definitions and type names at their first use.
// Calls come in the order of the bytes; begin and end calls are paired by the caller. One Writer
// for each content: it holds the tables of that content.
//
//   writer.begin_list({}, 2); writer.utf8("a"); writer.utf8("b"); writer.end_list();
class Writer {
public:
    // Appends to `out`, which must outlive the writer.
    explicit Writer(std::string& out) : out_(out) {}

    void null();
    void boolean(bool value);
    void int32(std::int32_t value);
    void int64(std::int64_t value);
    void real(double value);
    void date(Date value);
    void text(const Text& value);
    // A string given as UTF-8 (see append_units() for what is no UTF-8).
    void utf8(std::string_view value);
    void binary(std::string_view bytes);
    void reference(std::uint32_t slot);

    // `size` items follow, then end_list(). Requires: size < 2^31.
    void begin_list(const TypePtr& type, std::size_t size);
    void end_list();

    // Keys and values follow in turn, then end_map(). Requires: the first key of a map without a
    // type is not `true` (the dialect cannot tell it from a type), and type names are shorter than
    // 65,536 units.
    void begin_map(const TypePtr& type);
    void end_map();

    // The values of shape.fields follow; nothing ends them. `shape` must live, unmoved, as long as
    // the writer: one address is one class.
    void begin_object(const ClassShape& shape);

    // A whole tree.
    void value(const Value& tree);

private:
    // `left` is the number of units.
    void wire_text(std::string_view units, std::size_t left);
    // Appends `type` by name or index.
    void type(const TypePtr& type);
    [[nodiscard]] std::optional<std::int32_t> index_of_type(const TypePtr& type) const;

    std::string& out_;
    std::string scratch_;  // wire form of non-ASCII UTF-8
    std::vector<TypePtr> types_;
    std::vector<const ClassShape*> classes_;
    std::vector<bool> open_lists_;  // true: has an end mark
};

// The bytes of a tree.
[[nodiscard]] std::string write_value(const Value& tree);

}  // namespace muster::hessian
