#include <chrono>

#include "c_api.h"
#include "model/mark.h"
#include "settings.h"

using muster::sdk_core::Failure;
using muster::sdk_core::guarded;
using muster::sdk_core::ListEntry;
using muster::sdk_core::ListRef;
using muster::sdk_core::ms;
using muster::sdk_core::Outcome;
using muster::sdk_core::read_struct;
using muster::sdk_core::report;
using muster::sdk_core::UserContext;
using muster::sdk_core::write_struct;

namespace {

muster_status missing() {
    return report(Failure{MUSTER_INVALID_ARGUMENT, "an argument is NULL"});
}

muster_status past_end(std::size_t index, std::size_t count) {
    return report(Failure{MUSTER_NOT_FOUND,
                          "no entry " + std::to_string(index) + " among " + std::to_string(count)});
}

std::int64_t wall_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

muster_status give_list(Outcome<ListRef> list, const muster_list** out) {
    if (!list) {
        return report(list);
    }
    *out = list->give();
    return MUSTER_OK;
}

muster_endpoint describe(const ListEntry& entry) {
    const auto& publication = *entry.publication;
    const auto& endpoint = entry.endpoint;
    const auto ramp = muster::Ramp::read(publication.attributes);
    return {.size = sizeof(muster_endpoint),
            .id = publication.id.raw().c_str(),
            .box = entry.box.data(),
            .box_size = entry.box.size(),
            .scheme = endpoint.scheme.c_str(),
            .ip = endpoint.ip.c_str(),
            .port = endpoint.port,
            .weight = endpoint.weight,
            .enabled = endpoint.enabled ? 1 : 0,
            .healthy = endpoint.healthy ? 1 : 0,
            .zone = publication.zone.c_str(),
            .app = publication.app.c_str(),
            .client_address = publication.client_address.c_str(),
            .metadata_count = endpoint.metadata.size(),
            .ramp_since_unix_ms = ramp ? ramp->since.unix_ms : 0,
            .ramp_ms = ramp ? static_cast<std::uint32_t>(muster::to_ms(ramp->length)) : 0};
}

}  // namespace

void muster_list_info_init(muster_list_info* info) {
    *info = muster_list_info{.size = sizeof(muster_list_info)};
}

void muster_endpoint_init(muster_endpoint* endpoint) {
    *endpoint = muster_endpoint{.size = sizeof(muster_endpoint)};
}

muster_status muster_list_describe(const muster_list* list, muster_list_info* info) {
    if (list == nullptr) {
        return missing();
    }
    const auto& state = list->state();
    return write_struct(
        muster_list_info{
            .size = sizeof(muster_list_info),
            .service = list->path().c_str(),
            .scope = static_cast<muster_scope>(list->key().scope),
            .zone = list->key().zone.c_str(),
            .version = state.view->version.raw(),
            .complete = state.view->complete ? 1 : 0,
            .stale = state.stale ? 1 : 0,
            .as_of_unix_ms = state.as_of.unix_ms,
            .age_ms = std::max<std::int64_t>(0, wall_ms() - state.as_of.unix_ms),
            .received_ns = static_cast<uint64_t>(list->received().time_since_epoch().count()),
            .count = list->count()},
        info);
}

muster_status muster_list_at(const muster_list* list, size_t index, muster_endpoint* endpoint) {
    if (list == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto& entries = list->entries();
        return index < entries.size() ? write_struct(describe(entries[index]), endpoint)
                                      : past_end(index, entries.size());
    });
}

muster_status muster_list_metadata_at(const muster_list* list, size_t index, size_t pair,
                                      const char** key, const char** value) {
    if (list == nullptr || key == nullptr || value == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto& entries = list->entries();
        if (index >= entries.size()) {
            return past_end(index, entries.size());
        }
        const auto& metadata = entries[index].endpoint.metadata;
        if (pair >= metadata.size()) {
            return past_end(pair, metadata.size());
        }
        const auto at = std::next(metadata.begin(), static_cast<std::ptrdiff_t>(pair));
        *key = at->first.c_str();
        *value = at->second.c_str();
        return MUSTER_OK;
    });
}

const char* muster_list_metadata(const muster_list* list, size_t index, const char* key) {
    const char* value = nullptr;
    if (list != nullptr && key != nullptr) {
        static_cast<void>(guarded([&] {
            const auto& entries = list->entries();
            if (index < entries.size()) {
                const auto& metadata = entries[index].endpoint.metadata;
                const auto found = metadata.find(key);
                value = found != metadata.end() ? found->second.c_str() : nullptr;
            }
            return MUSTER_OK;
        }));
    }
    return value;
}

const muster_list* muster_list_retain(const muster_list* list) {
    if (list != nullptr) {
        list->retain();
    }
    return list;
}

void muster_list_release(const muster_list* list) {
    if (list != nullptr) {
        list->release();
    }
}

// ---- subscriptions

void muster_subscription_spec_init(muster_subscription_spec* spec) {
    *spec = muster_subscription_spec{.size = sizeof(muster_subscription_spec),
                                     .scope = MUSTER_SCOPE_DATA_CENTER};
}

muster_status muster_subscribe(muster_client* client, const muster_subscription_spec* given,
                               muster_subscription* subscription) {
    if (client == nullptr || subscription == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto spec = read_struct(given, muster_subscription_spec_init);
        if (!spec) {
            return report(spec);
        }
        auto service = muster::sdk_core::service_of(spec->service);
        if (!service) {
            return report(service);
        }
        if (spec->scope < MUSTER_SCOPE_ZONE || spec->scope > MUSTER_SCOPE_GLOBAL) {
            return report(Failure{MUSTER_INVALID_ARGUMENT, "no such scope"});
        }
        muster::client::ListKey key{.service = std::move(*service),
                                    .scope = static_cast<muster::Scope>(spec->scope),
                                    .zone = spec->zone != nullptr ? spec->zone : ""};
        UserContext context(spec->context, spec->free_context);
        const auto number = client->core->subscribe(std::move(key), spec->on_list, context);
        if (!number) {
            context.give_back();
            return report(number);
        }
        *subscription = *number;
        return MUSTER_OK;
    });
}

muster_status muster_unsubscribe(muster_client* client, muster_subscription subscription) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] { return report(client->core->unsubscribe(subscription)); });
}

muster_status muster_find_subscription(muster_client* client, const char* service,
                                       muster_subscription* subscription) {
    if (client == nullptr || subscription == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto named = muster::sdk_core::service_of(service);
        if (!named) {
            return report(named);
        }
        const auto number = client->core->find_subscription(*named);
        if (number) {
            *subscription = *number;
        }
        return report(number);
    });
}

muster_status muster_current_list(muster_client* client, muster_subscription subscription,
                                  const muster_list** list) {
    if (client == nullptr || list == nullptr) {
        return missing();
    }
    return guarded([&] { return give_list(client->core->current_list(subscription), list); });
}

muster_status muster_await_list(muster_client* client, muster_subscription subscription,
                                uint32_t timeout_ms, const muster_list** list) {
    if (client == nullptr || list == nullptr) {
        return missing();
    }
    return guarded(
        [&] { return give_list(client->core->await_list(subscription, ms(timeout_ms)), list); });
}

// ---- picking

void muster_pick_options_init(muster_pick_options* options) {
    *options = muster_pick_options{.size = sizeof(muster_pick_options)};
}

muster_status muster_pick(muster_client* client, muster_subscription subscription,
                          const muster_pick_options* given, muster_call** call) {
    if (client == nullptr || call == nullptr) {
        return missing();
    }
    return guarded([&] {
        muster_pick_options defaults;
        muster_pick_options_init(&defaults);
        const auto options =
            read_struct(given != nullptr ? given : &defaults, muster_pick_options_init);
        if (!options) {
            return report(options);
        }
        if (options->policy < MUSTER_WEIGHTED_RANDOM || options->policy > MUSTER_CONSISTENT_HASH) {
            return report(Failure{MUSTER_INVALID_ARGUMENT, "no such policy"});
        }
        auto picked = client->core->pick(subscription, *options);
        if (!picked) {
            return report(picked);
        }
        *call = new muster_call{std::move(*picked)};
        return MUSTER_OK;
    });
}

muster_status muster_call_endpoint(const muster_call* call, muster_endpoint* endpoint) {
    return call != nullptr ? muster_list_at(call->picked.list.get(), call->picked.index, endpoint)
                           : missing();
}

const muster_list* muster_call_list(const muster_call* call, size_t* index) {
    if (call == nullptr) {
        return nullptr;
    }
    if (index != nullptr) {
        *index = call->picked.index;
    }
    return call->picked.list.get();
}

void muster_call_end(muster_call* call) {
    if (call != nullptr) {
        call->picked.calls->fetch_sub(1, std::memory_order_relaxed);
        delete call;
    }
}
