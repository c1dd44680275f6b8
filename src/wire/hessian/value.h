#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wire/hessian/text.h"

namespace muster::hessian {

struct Value;
struct MapEntry;

struct Null {
    [[nodiscard]] bool operator==(const Null&) const = default;
};

struct Date {
    std::int64_t unix_ms = 0;

    [[nodiscard]] bool operator==(const Date&) const = default;
};

// The dialect knows one zero and does not keep the bits of what is no number.
struct Double {
    double value = 0;

    [[nodiscard]] bool operator==(const Double& other) const {
        return value == other.value || (value != value && other.value != other.value);
    }
};

struct Binary {
    std::string bytes;

    [[nodiscard]] bool operator==(const Binary&) const = default;
};

// The same instance as the list, map or object that was the slot-th to begin (RefIndex finds it).
struct Ref {
    std::uint32_t slot = 0;

    [[nodiscard]] bool operator==(const Ref&) const = default;
};

// Name of a Java class and of its fields, in the order in which objects list their values.
struct ClassShape {
    Text name;
    std::vector<Text> fields;

    [[nodiscard]] bool operator==(const ClassShape&) const = default;
};

using ClassShapePtr = std::shared_ptr<const ClassShape>;

// Name of the Java class of a list or map; shared, as one content names it once. Null: the usual
// one, java.util.ArrayList or java.util.HashMap.
using TypePtr = std::shared_ptr<const Text>;

struct List {
    TypePtr type;
    std::vector<Value> items;

    [[nodiscard]] bool operator==(const List&) const;
};

struct Map {
    TypePtr type;
    std::vector<MapEntry> entries;  // as on the wire; keys may repeat

    [[nodiscard]] bool operator==(const Map&) const;
};

struct Object {
    ClassShapePtr shape;
    std::vector<Value> fields;  // as many as shape->fields

    [[nodiscard]] bool operator==(const Object&) const;

    // The value of the first field of that (ASCII) name; null when there is none.
    [[nodiscard]] const Value* find(std::string_view field) const;
};

// Any Hessian value, as a tree: references stay references, so a small input is a small tree.
struct Value {
    using Variant = std::variant<Null, bool, std::int32_t, std::int64_t, Double, Date, Text, Binary,
                                 Ref, List, Map, Object>;
    Variant as;

    [[nodiscard]] bool operator==(const Value&) const = default;

    template <typename T>
    [[nodiscard]] const T* get() const {
        return std::get_if<T>(&as);
    }
};

struct MapEntry {
    Value key;
    Value value;

    [[nodiscard]] bool operator==(const MapEntry&) const = default;
};

// Where the references of one tree lead. The tree must live, unmoved, as long as the index.
class RefIndex {
public:
    explicit RefIndex(const Value& root);

    // `value` itself or, for a reference, what it refers to (never a reference).
    // Requires: `value` is part of the tree, and the tree was read by read_value().
    [[nodiscard]] const Value& resolve(const Value& value) const;

private:
    void add(const Value& value);

    std::vector<const Value*> slots_;
};

}  // namespace muster::hessian
