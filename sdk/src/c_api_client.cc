#include <chrono>

#include "c_api.h"
#include "settings.h"

using muster::sdk_core::failed;
using muster::sdk_core::Failure;
using muster::sdk_core::guarded;
using muster::sdk_core::ms;
using muster::sdk_core::read_struct;
using muster::sdk_core::report;
using muster::sdk_core::UserContext;
using muster::sdk_core::write_struct;

namespace {

std::string& message_of_thread() {
    thread_local std::string message;
    return message;
}

constexpr std::uint32_t kCloseTimeoutMs = 40;

muster_status missing() {
    return report(Failure{MUSTER_INVALID_ARGUMENT, "an argument is NULL"});
}

}  // namespace

muster_status muster::sdk_core::report(const Failure& failure) {
    message_of_thread() = failure.message;
    return failure.status;
}

const char* muster_status_name(muster_status status) {
    switch (status) {
        case MUSTER_OK: return "ok";
        case MUSTER_INVALID_ARGUMENT: return "invalid_argument";
        case MUSTER_NOT_FOUND: return "not_found";
        case MUSTER_NOT_READY: return "not_ready";
        case MUSTER_OVER_LIMIT: return "over_limit";
        case MUSTER_TIMEOUT: return "timeout";
        case MUSTER_CLOSED: return "closed";
        case MUSTER_FORKED: return "forked";
        case MUSTER_WRONG_THREAD: return "wrong_thread";
        case MUSTER_BAD_CONFIG: return "bad_config";
        case MUSTER_UNAVAILABLE: return "unavailable";
        case MUSTER_REFUSED: return "refused";
        case MUSTER_IO_ERROR: return "io_error";
        case MUSTER_INTERNAL: return "internal";
    }
    return "unknown";
}

const char* muster_error_message(void) {
    return message_of_thread().c_str();
}

const char* muster_version(void) {
    return MUSTER_SDK_VERSION;
}

uint64_t muster_now_ns(void) {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

void muster_options_init(muster_options* options) {
    *options = muster_options{.size = sizeof(muster_options),
                              .connect_timeout_ms = 3000,
                              .request_timeout_ms = 3000,
                              .heartbeat_interval_ms = 5000,
                              .retry_max_ms = 5000,
                              .poll_interval_ms = 30'000,
                              .cache_wait_ms = 500,
                              .log_level = MUSTER_LOG_INFO};
}

muster_status muster_client_open(const muster_options* options, muster_client** client) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] {
        *client = nullptr;
        auto plan = muster::sdk_core::plan_start(options);
        if (!plan) {
            return report(plan);
        }
        auto core = muster::sdk_core::Core::open(std::move(*plan));
        if (!core) {
            return report(core);
        }
        *client = new muster_client{std::move(*core)};
        return MUSTER_OK;
    });
}

muster_status muster_client_close(muster_client* client, uint32_t timeout_ms) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] {
        return report(client->core->close(ms(timeout_ms != 0 ? timeout_ms : kCloseTimeoutMs)));
    });
}

void muster_client_release(muster_client* client) {
    delete client;
}

muster_status muster_client_await_connected(muster_client* client, uint32_t timeout_ms) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] { return report(client->core->await_connected(ms(timeout_ms))); });
}

void muster_stats_init(muster_stats* stats) {
    *stats = muster_stats{.size = sizeof(muster_stats)};
}

muster_status muster_client_stats(muster_client* client, muster_stats* stats) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto now = client->core->stats();
        return now ? write_struct(*now, stats) : report(now);
    });
}

// ---- registrations

void muster_endpoint_spec_init(muster_endpoint_spec* spec) {
    *spec = muster_endpoint_spec{
        .size = sizeof(muster_endpoint_spec), .weight = 100, .enabled = 1, .healthy = 1};
}

muster_status muster_register(muster_client* client, const muster_endpoint_spec* given,
                              muster_registration* registration) {
    if (client == nullptr || registration == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto spec = read_struct(given, muster_endpoint_spec_init);
        if (!spec) {
            return report(spec);
        }
        auto publication = muster::sdk_core::publication_of(*spec);
        if (!publication) {
            return report(publication);
        }
        UserContext context(spec->context, spec->free_context);
        const auto number =
            client->core->add_registration(std::move(*publication), spec->on_registered, context);
        if (!number) {
            context.give_back();
            return report(number);
        }
        *registration = *number;
        return MUSTER_OK;
    });
}

muster_status muster_update(muster_client* client, muster_registration registration,
                            const muster_endpoint_spec* given) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] {
        const auto spec = read_struct(given, muster_endpoint_spec_init);
        if (!spec) {
            return report(spec);
        }
        auto publication = muster::sdk_core::publication_of(*spec);
        return publication ? report(client->core->update(registration, std::move(*publication)))
                           : report(publication);
    });
}

muster_status muster_unregister(muster_client* client, muster_registration registration) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] { return report(client->core->unregister(registration)); });
}

muster_status muster_await_registered(muster_client* client, muster_registration registration,
                                      uint32_t timeout_ms) {
    if (client == nullptr) {
        return missing();
    }
    return guarded(
        [&] { return report(client->core->await_registered(registration, ms(timeout_ms))); });
}

// ---- configuration values

muster_status muster_watch_config(muster_client* client, const char* key,
                                  muster_config_fn on_config, void* context,
                                  void (*free_context)(void* context), muster_watch* watch) {
    if (client == nullptr || watch == nullptr || on_config == nullptr) {
        return missing();
    }
    return guarded([&] {
        auto service = muster::sdk_core::service_of(key);
        if (!service) {
            return report(service);
        }
        UserContext user(context, free_context);
        const auto number = client->core->watch(std::move(*service), on_config, user);
        if (!number) {
            user.give_back();
            return report(number);
        }
        *watch = *number;
        return MUSTER_OK;
    });
}

muster_status muster_unwatch_config(muster_client* client, muster_watch watch) {
    if (client == nullptr) {
        return missing();
    }
    return guarded([&] { return report(client->core->unwatch(watch)); });
}
