#pragma once

#include <string>
#include <vector>

#include "failure.h"
#include "roles/client/client.h"

namespace muster::sdk_core {

// What a client is started with: options of the program, then of the services file, then defaults.
struct Settings {
    std::string servers;  // as muster_options has it
    std::string cache_folder;
    client::ClientOptions role;
    muster_log_fn log = nullptr;
    void* log_context = nullptr;
    LogLevel log_level = LogLevel::info;
};

// What a services file asks for besides settings.
struct FileWishes {
    std::vector<client::PublicationSpec> registrations;
    std::vector<client::ListKey> subscriptions;
};

// `options` may be null. Reads the services file that options or environment name. Errors:
// INVALID_ARGUMENT, BAD_CONFIG.
struct StartPlan {
    Settings settings;
    FileWishes wishes;
};
[[nodiscard]] Outcome<StartPlan> plan_start(const muster_options* options);

// The publication an endpoint spec describes. Errors: INVALID_ARGUMENT.
[[nodiscard]] Outcome<client::PublicationSpec> publication_of(const muster_endpoint_spec& spec);

// Errors: INVALID_ARGUMENT when null or no service.
[[nodiscard]] Outcome<Service> service_of(const char* text);

// A random id, in the form of a UUID of version 4 (RFC 9562).
[[nodiscard]] std::string random_id();

}  // namespace muster::sdk_core
