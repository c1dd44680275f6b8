#include "doors/bolt/sofa_requests.h"

#include <utility>

#include "wire/hessian/bean.h"

namespace muster::doors::sofa {
namespace {

using hessian::Bean;
using hessian::Budget;
using hessian::Value;

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
        MUSTER_TRY(budget.spend(2 * Budget::kPerString + name->units.size() + text->units.size()));
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
    Budget budget(limits.boxes_bytes_max, "boxes and attributes");
    // Null boxes are left out; a box without data is an empty one.
    MUSTER_TRY(append_texts(refs, bean.find("dataList"), "data", budget, request.boxes));
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
