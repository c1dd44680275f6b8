#include "wire/hessian/value.h"

#include <algorithm>

#include "base/check.h"

namespace muster::hessian {

namespace {

bool same_type(const TypePtr& a, const TypePtr& b) {
    return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace

bool List::operator==(const List& other) const {
    return same_type(type, other.type) && items == other.items;
}

bool Map::operator==(const Map& other) const {
    return same_type(type, other.type) && entries == other.entries;
}

bool Object::operator==(const Object& other) const {
    return (shape == other.shape || *shape == *other.shape) && fields == other.fields;
}

const Value* Object::find(std::string_view field) const {
    const auto& names = shape->fields;
    const auto found =
        std::ranges::find_if(names, [&](const Text& name) { return name.units == field; });
    if (found == names.end()) {
        return nullptr;
    }
    return &fields[static_cast<std::size_t>(found - names.begin())];
}

RefIndex::RefIndex(const Value& root) {
    add(root);
}

void RefIndex::add(const Value& value) {
    if (const auto* list = value.get<List>()) {
        slots_.push_back(&value);
        for (const Value& item : list->items) {
            add(item);
        }
    } else if (const auto* map = value.get<Map>()) {
        slots_.push_back(&value);
        for (const auto& [key, entry] : map->entries) {
            add(key);
            add(entry);
        }
    } else if (const auto* object = value.get<Object>()) {
        slots_.push_back(&value);
        for (const Value& field : object->fields) {
            add(field);
        }
    }
}

const Value& RefIndex::resolve(const Value& value) const {
    const auto* ref = value.get<Ref>();
    if (ref == nullptr) {
        return value;
    }
    CHECK(ref->slot < slots_.size());
    return *slots_[ref->slot];
}

}  // namespace muster::hessian
