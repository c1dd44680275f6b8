#include "wire/hessian/bean.h"

namespace muster::hessian {

std::size_t Bean::field_count() const {
    if (object_ != nullptr) {
        return object_->fields.size();
    }
    return map_ != nullptr ? map_->entries.size() : 0;
}

const Value* Bean::find(std::string_view field) const {
    const Value* found = nullptr;
    if (object_ != nullptr) {
        found = object_->find(field);
    } else if (map_ != nullptr) {
        for (const auto& [key, value] : map_->entries) {
            const auto* name = key.get<Text>();
            if (name != nullptr && name->units == field) {
                found = &value;  // the last one, as in Java
            }
        }
    }
    return found == nullptr ? nullptr : &refs_.resolve(*found);
}

std::string Bean::text(std::string_view field) const {
    const Value* value = find(field);
    const auto* text = value == nullptr ? nullptr : value->get<Text>();
    return text == nullptr ? std::string() : to_utf8(*text);
}

std::int64_t Bean::number(std::string_view field) const {
    const Value* value = find(field);
    if (value == nullptr) {
        return 0;
    }
    if (const auto* as_int = value->get<std::int32_t>()) {
        return *as_int;
    }
    if (const auto* as_long = value->get<std::int64_t>()) {
        return *as_long;
    }
    if (const auto* as_bool = value->get<bool>()) {
        return *as_bool ? 1 : 0;
    }
    constexpr double kExact = 9007199254740992.0;  // 2^53
    const auto* as_double = value->get<Double>();
    const bool exact =
        as_double != nullptr && as_double->value > -kExact && as_double->value < kExact;
    return exact ? static_cast<std::int64_t>(as_double->value) : 0;
}

std::unexpected<Error> Budget::over() const {
    return fail(Errc::too_large, std::string(what_) + " over the limit");
}

Result<void> append_texts(const RefIndex& refs, const Value* list, std::string_view field,
                          Budget& budget, std::vector<std::string>& texts) {
    const auto* beans = list == nullptr ? nullptr : list->get<List>();
    if (beans == nullptr) {
        return {};
    }
    for (const Value& item : beans->items) {
        const Bean bean(refs, refs.resolve(item));
        if (!bean.exists()) {
            continue;
        }
        MUSTER_TRY(budget.spend(Budget::kPerString + bean.field_count()));
        const Value* value = bean.find(field);
        const auto* text = value == nullptr ? nullptr : value->get<Text>();
        if (text != nullptr) {
            MUSTER_TRY(budget.spend(text->units.size()));
        }
        texts.push_back(text == nullptr ? std::string() : to_wtf8(*text));
    }
    return {};
}

}  // namespace muster::hessian
