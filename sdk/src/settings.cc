#include "settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "services_file.h"

namespace muster::sdk_core {
namespace {

constexpr std::size_t kBoxesMax = 10'000;
constexpr std::uint32_t kWeightMax = 1'000'000;
constexpr std::string_view kDefaultServers = "127.0.0.1:9600";

std::string text_of(const char* text) {
    return text != nullptr ? text : "";
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Outcome<std::string> box_of(const muster_endpoint_spec& spec) {
    Endpoint endpoint{.ip = text_of(spec.ip),
                      .port = spec.port,
                      .weight = spec.weight,
                      .enabled = spec.enabled != 0,
                      .healthy = spec.healthy != 0};
    if (endpoint.port == 0) {
        return failed(MUSTER_INVALID_ARGUMENT, "port is 0; an endpoint needs one of 1 to 65535");
    }
    if (endpoint.ip.empty() || endpoint.ip.find_first_of("/?&= ") != std::string::npos) {
        return failed(MUSTER_INVALID_ARGUMENT, "ip '" + endpoint.ip + "' is no address");
    }
    if (endpoint.weight > kWeightMax) {
        return failed(MUSTER_INVALID_ARGUMENT, "weight is over 1000000");
    }
    constexpr std::array<std::string_view, 3> kReserved{"weight", "enabled", "healthy"};
    for (std::size_t i = 0; i < spec.metadata_count; ++i) {
        const std::string key = text_of(spec.metadata[i].key);
        const std::string value = text_of(spec.metadata[i].value);
        const bool bad_key = key.empty() || key.find_first_of("&=") != std::string::npos;
        if (bad_key || value.find('&') != std::string::npos || has_control(key + value)) {
            return failed(MUSTER_INVALID_ARGUMENT, "metadata '" + key + "=" + value +
                                                       "': '&', '=' in keys and control "
                                                       "characters cannot be published");
        }
        if (std::ranges::find(kReserved, key) != kReserved.end()) {
            return failed(MUSTER_INVALID_ARGUMENT,
                          "metadata '" + key + "' has a member of its own in the spec");
        }
        endpoint.metadata.insert_or_assign(key, value);
    }
    return endpoint.to_box();
}

}  // namespace

Outcome<Service> service_of(const char* text) {
    if (text == nullptr) {
        return failed(MUSTER_INVALID_ARGUMENT, "no service was named");
    }
    auto service = parse_service_path(text);
    if (!service) {
        return failed(service.error());
    }
    return std::move(*service);
}

Outcome<client::PublicationSpec> publication_of(const muster_endpoint_spec& spec) {
    auto service = service_of(spec.service);
    if (!service) {
        return std::unexpected(std::move(service).error());
    }
    client::PublicationSpec publication{
        .service = std::move(*service), .zone = text_of(spec.zone), .app = text_of(spec.app)};
    if (spec.ip != nullptr && spec.boxes_count > 0) {
        return failed(MUSTER_INVALID_ARGUMENT, "either an endpoint (ip, port) or boxes");
    }
    if (spec.boxes_count > kBoxesMax) {
        return failed(MUSTER_INVALID_ARGUMENT, "at most 10000 boxes");
    }
    for (std::size_t i = 0; i < spec.boxes_count; ++i) {
        publication.boxes.push_back(text_of(spec.boxes[i]));
    }
    if (publication.boxes.empty()) {
        auto box = box_of(spec);
        if (!box) {
            return std::unexpected(std::move(box).error());
        }
        publication.boxes.push_back(std::move(*box));
    }
    return publication;
}

std::string random_id() {
    std::random_device device;
    std::array<std::uint32_t, 4> words{device(), device(), device(), device()};
    words[1] = (words[1] & 0xffff0fffU) | 0x4000U;
    words[2] = (words[2] & 0x3fffffffU) | 0x80000000U;
    std::string id;
    for (std::size_t nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) {
            id += '-';
        }
        id += "0123456789abcdef"[(words[nibble / 8] >> (28 - 4 * (nibble % 8))) & 0xfU];
    }
    return id;
}

Outcome<StartPlan> plan_start(const muster_options* given) {
    muster_options options;
    muster_options_init(&options);
    if (given != nullptr) {
        if (given->size > sizeof options) {
            return failed(MUSTER_INVALID_ARGUMENT,
                          "the options are of a newer version than this library");
        }
        if (given->size < sizeof given->size) {
            return failed(MUSTER_INVALID_ARGUMENT, "call muster_options_init() first");
        }
        std::copy_n(reinterpret_cast<const char*>(given), given->size,
                    reinterpret_cast<char*>(&options));
    }
    StartPlan plan;
    const char* from_environment = std::getenv("MUSTER_SERVICES_FILE");
    const std::string file =
        text_of(options.services_file != nullptr ? options.services_file : from_environment);
    if (!file.empty()) {
        auto read = read_services_file(file);
        if (!read) {
            return failed(read.error());
        }
        plan = std::move(*read);
    }
    Settings& settings = plan.settings;
    const auto prefer = [](std::string& value, const char* text) {
        if (text != nullptr && *text != '\0') {
            value = text;
        }
    };
    if (settings.servers.empty()) {
        settings.servers = kDefaultServers;
        prefer(settings.servers, std::getenv("MUSTER_SERVERS"));
    }
    prefer(settings.servers, options.servers);
    prefer(settings.role.zone, options.zone);
    prefer(settings.role.app, options.app);
    prefer(settings.cache_folder, options.cache_folder);
    using std::chrono::milliseconds;
    const auto at_least_one = [](std::uint32_t ms) { return milliseconds(std::max(ms, 1U)); };
    settings.role.connect_timeout = at_least_one(options.connect_timeout_ms);
    settings.role.request_timeout = at_least_one(options.request_timeout_ms);
    settings.role.heartbeat_interval = at_least_one(options.heartbeat_interval_ms);
    settings.role.retry_max = at_least_one(options.retry_max_ms);
    settings.role.poll_interval = milliseconds(options.poll_interval_ms);
    settings.role.cache_wait = milliseconds(options.cache_wait_ms);
    settings.log = options.log;
    settings.log_context = options.log_context;
    settings.log_level = static_cast<LogLevel>(
        std::clamp(static_cast<int>(options.log_level), 0, static_cast<int>(LogLevel::error)));
    return plan;
}

}  // namespace muster::sdk_core
