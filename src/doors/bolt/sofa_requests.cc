#include "doors/bolt/sofa_requests.h"

#include <utility>

#include "wire/hessian/value.h"

namespace muster::doors::sofa {
namespace {

using hessian::Value;

// A bean as the Java writers of any age put it: an object, or a map from field name to value.
// Borrowed from a tree.
class Bean {
public:
    Bean(const hessian::RefIndex& refs, const Value& value)
        : refs_(refs), object_(value.get<hessian::Object>()), map_(value.get<hessian::Map>()) {}

    [[nodiscard]] bool exists() const {
        return object_ != nullptr || map_ != nullptr;
    }

    [[nodiscard]] std::size_t field_count() const {
        return object_ != nullptr ? object_->fields.size() : map_->entries.size();
    }

    // Null when the field is missing.
    [[nodiscard]] const Value* find(std::string_view field) const {
        const Value* found = nullptr;
        if (object_ != nullptr) {
            found = object_->find(field);
        } else {
            for (const auto& [key, value] : map_->entries) {
                const auto* name = key.get<hessian::Text>();
                if (name != nullptr && name->units == field) {
                    found = &value;
                }
            }
        }
        return found == nullptr ? nullptr : &refs_.resolve(*found);
    }

    [[nodiscard]] std::string text(std::string_view field) const {
        const Value* value = find(field);
        const auto* text = value == nullptr ? nullptr : value->get<hessian::Text>();
        return text == nullptr ? std::string() : hessian::to_utf8(*text);
    }

    // A number or a truth value of any width; anything else is zero.
    [[nodiscard]] std::int64_t number(std::string_view field) const {
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
        const auto* as_double = value->get<hessian::Double>();
        const bool exact =
            as_double != nullptr && as_double->value > -kExact && as_double->value < kExact;
        return exact ? static_cast<std::int64_t>(as_double->value) : 0;
    }

private:
    const hessian::RefIndex& refs_;
    const hessian::Object* object_;
    const hessian::Map* map_;
};

// A few bytes can refer to one long string, or to one bean of many fields, many times: what is
// copied out and searched is counted.
class Budget {
public:
    explicit Budget(std::size_t bytes) : left_(bytes) {}

    [[nodiscard]] bool spend(std::size_t bytes) {
        if (bytes > left_) {
            return false;
        }
        left_ -= bytes;
        return true;
    }

private:
    std::size_t left_;
};

std::unexpected<Error> over_budget() {
    return fail(Errc::too_large, "boxes and attributes over the limit");
}

constexpr std::size_t kStringOverhead = sizeof(std::string);

// Null boxes are left out; a box without data is an empty one.
Result<void> read_boxes(const hessian::RefIndex& refs, const Value* from, Budget& budget,
                        std::vector<std::string>& boxes) {
    const auto* list = from == nullptr ? nullptr : from->get<hessian::List>();
    if (list == nullptr) {
        return {};
    }
    for (const Value& item : list->items) {
        const Bean box(refs, refs.resolve(item));
        if (!box.exists()) {
            continue;
        }
        if (!budget.spend(kStringOverhead + box.field_count())) {
            return over_budget();
        }
        const Value* data = box.find("data");
        const auto* text = data == nullptr ? nullptr : data->get<hessian::Text>();
        if (text != nullptr && !budget.spend(text->units.size())) {
            return over_budget();
        }
        boxes.push_back(text == nullptr ? std::string() : hessian::to_wtf8(*text));
    }
    return {};
}

Result<void> read_attributes(const hessian::RefIndex& refs, const Value* from, Budget& budget,
                             std::map<std::string, std::string>& attributes) {
    const auto* map = from == nullptr ? nullptr : from->get<hessian::Map>();
    if (map == nullptr) {
        return {};
    }
    for (const auto& [key, value] : map->entries) {
        const auto* name = refs.resolve(key).get<hessian::Text>();
        const auto* text = refs.resolve(value).get<hessian::Text>();
        if (name == nullptr || text == nullptr) {
            continue;
        }
        if (!budget.spend(2 * kStringOverhead + name->units.size() + text->units.size())) {
            return over_budget();
        }
        attributes[hessian::to_utf8(*name)] = hessian::to_utf8(*text);
    }
    return {};
}

std::unexpected<Error> no_bean(std::string_view expected) {
    return fail(Errc::bad_content, "the content is no " + std::string(expected));
}

}  // namespace

Result<RegisterRequest> read_register(std::string_view content, const RequestLimits& limits) {
    const auto read = hessian::read_value(content, limits.hessian);
    if (!read) {
        return wrap("registration", read.error());
    }
    const hessian::RefIndex refs(read->value);
    const Bean bean(refs, read->value);
    if (!bean.exists()) {
        return no_bean("registration");
    }
    RegisterRequest request{
        .tenant = bean.text("instanceId"),
        .group = bean.text("group"),
        .data_id = bean.text("dataId"),
        .regist_id = bean.text("registId"),
        .event_type = bean.text("eventType"),
        .zone = bean.text("zone"),
        .app = bean.text("appName"),
        .scope = bean.text("scope"),
        .order = {.version = bean.number("version"), .timestamp_ms = bean.number("timestamp")}};
    if (request.regist_id.size() > limits.regist_id_bytes_max) {
        return fail(Errc::too_large, "registId over the limit");
    }
    Budget budget(limits.boxes_bytes_max);
    MUSTER_TRY(read_boxes(refs, bean.find("dataList"), budget, request.boxes));
    MUSTER_TRY(read_attributes(refs, bean.find("attributes"), budget, request.attributes));
    return request;
}

Result<bool> read_push_result(std::string_view content, const RequestLimits& limits) {
    const auto read = hessian::read_value(content, limits.hessian);
    if (!read) {
        return wrap("push result", read.error());
    }
    const hessian::RefIndex refs(read->value);
    const Bean bean(refs, read->value);
    if (!bean.exists()) {
        return no_bean("push result");
    }
    return bean.number("success") != 0;
}

Result<void> read_sync_config(std::string_view content, const RequestLimits& limits) {
    const auto read = hessian::read_value(content, limits.hessian);
    if (!read) {
        return wrap("sync-config request", read.error());
    }
    const hessian::RefIndex refs(read->value);
    if (!Bean(refs, read->value).exists()) {
        return no_bean("sync-config request");
    }
    return {};
}

}  // namespace muster::doors::sofa
