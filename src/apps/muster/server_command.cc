#include "apps/muster/server_command.h"

#include <cstdio>
#include <utility>

#include "apps/muster/report.h"
#include "apps/muster/standalone.h"
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

Result<void> check_roles(const runtime::ServerConfig& config) {
    if (config.roles.size() < 3) {
        return fail(Errc::bad_config,
                    "roles: this version runs meta, data and session together in one process; "
                    "leave the key out");
    }
    return {};
}

Result<void> serve(const ServerOptions& options) {
    std::vector<std::string> overrides = options.overrides;
    if (!options.data_dir.empty()) {
        overrides.push_back("data_dir=" + options.data_dir);
    }
    auto config = runtime::load_server_config(options.config_file, overrides);
    if (!config) {
        return std::unexpected(std::move(config).error());
    }
    MUSTER_TRY(check_roles(*config));
    auto sink = runtime::SpdlogSink::open(log_options(*config));
    if (!sink) {
        return std::unexpected(std::move(sink).error());
    }
    const Log log(**sink, config->log.level);
    auto server = Standalone::create(*config, log);
    if (!server) {
        return std::unexpected(std::move(server).error());
    }
    log.info("server.listening", {{"bolt", env::to_string((*server)->bolt_address())},
                                  {"http", env::to_string((*server)->http_address())},
                                  {"data_dir", config->data_dir},
                                  {"version", MUSTER_VERSION}});
    return (*server)->run();
}

}  // namespace

int run_server(const ServerOptions& options) {
    const auto outcome = serve(options);
    return outcome ? 0 : report(outcome.error());
}

}  // namespace muster::cli
