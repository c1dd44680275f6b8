#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/hessian/value.h"

namespace muster::hessian {

// A bean as the Java writers of any age put it: an object, or a map from field name to value; read
// by field name, whatever the order and whatever else is there. Borrowed from a tree, which
// outlives it, as does `refs`, the index of that tree.
class Bean {
public:
    // Requires: `value` is part of the tree, and no reference (RefIndex::resolve()).
    Bean(const RefIndex& refs, const Value& value)
        : refs_(refs), object_(value.get<Object>()), map_(value.get<Map>()) {}

    // False: the value is neither; all fields are missing.
    [[nodiscard]] bool exists() const {
        return object_ != nullptr || map_ != nullptr;
    }

    // What find() looks through.
    [[nodiscard]] std::size_t field_count() const;

    // What the field holds, or refers to. Null when it is missing.
    [[nodiscard]] const Value* find(std::string_view field) const;

    // UTF-8; empty when the field is missing or no string.
    [[nodiscard]] std::string text(std::string_view field) const;

    // A number or a truth value of any width; anything else is zero.
    [[nodiscard]] std::int64_t number(std::string_view field) const;

private:
    const RefIndex& refs_;
    const Object* object_;
    const Map* map_;
};

// A few bytes can refer to one long string, or to one bean of many fields, many times: what is
// copied out and searched is counted.
class Budget {
public:
    // What a copied string takes beside its bytes.
    static constexpr std::size_t kPerString = sizeof(std::string);

    // `what` names in errors what the bytes are for; it outlives the budget.
    Budget(std::size_t bytes, std::string_view what) : left_(bytes), what_(what) {}

    // Errors: too_large, and nothing is spent.
    [[nodiscard]] Result<void> spend(std::size_t bytes) {
        if (bytes > left_) {
            return over();
        }
        left_ -= bytes;
        return {};
    }

private:
    [[nodiscard]] std::unexpected<Error> over() const;

    std::size_t left_;
    std::string_view what_;
};

// Appends what `field` says in each bean of a list, every UTF-16 unit kept (WTF-8): empty where it
// is missing or no string. What is no bean is left out, and costs nothing. Null, or no list: there
// are none. Errors: too_large (over the budget; some may have been appended).
[[nodiscard]] Result<void> append_texts(const RefIndex& refs, const Value* list,
                                        std::string_view field, Budget& budget,
                                        std::vector<std::string>& texts);

}  // namespace muster::hessian
