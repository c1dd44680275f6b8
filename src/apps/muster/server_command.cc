#include "apps/muster/server_command.h"

#include <cstdio>
#include <utility>

#include "apps/muster/report.h"
#include "apps/muster/server/process.h"
#include "runtime/config/server_config.h"
#include "runtime/log/spdlog_sink.h"

namespace muster::cli {
namespace {

runtime::LogOptions log_options(const runtime::ServerConfig& config) {
    return {.format = config.log.format == runtime::ConfigLogFormat::json
                          ? runtime::LogFormat::json
                          : runtime::LogFormat::text,
            .file = config.log.file,
            .file_bytes_max = config.log.file_max,
            .files_max = config.log.files_max};
}

// The options that stand for keys, after the keys that were set by name.
std::vector<std::string> overrides_of(const ServerOptions& options) {
    std::vector<std::string> overrides = options.overrides;
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            overrides.push_back(std::string(key) + "=" + value);
        }
    };
    add("data_dir", options.data_dir);
    add("roles", options.roles);
    add("node_id", options.node_id);
    add("cluster.join", options.join);
    return overrides;
}

Result<void> serve(const ServerOptions& options) {
    auto config = runtime::load_server_config(options.config_file, overrides_of(options));
    if (!config) {
        return std::unexpected(std::move(config).error());
    }
    auto sink = runtime::SpdlogSink::open(log_options(*config));
    if (!sink) {
        return std::unexpected(std::move(sink).error());
    }
    const Log log(**sink, config->log.level);
    auto server = Process::create(*config, log);
    if (!server) {
        return std::unexpected(std::move(server).error());
    }
    return (*server)->run();
}

}  // namespace

int run_server(const ServerOptions& options) {
    const auto outcome = serve(options);
    return outcome ? 0 : report(outcome.error());
}

}  // namespace muster::cli
