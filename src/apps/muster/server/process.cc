#include "apps/muster/server/process.h"

#include <array>
#include <csignal>
#include <utility>

#include "apps/muster/server/data_part.h"
#include "apps/muster/server/http_part.h"
#include "apps/muster/server/meta_part.h"
#include "apps/muster/server/session_part.h"

namespace muster::cli {

Process::Process(std::unique_ptr<Foundation> base) : base_(std::move(base)) {}
Process::~Process() = default;

Result<std::unique_ptr<Process>> Process::create(const runtime::ServerConfig& config, Log log) {
    auto base = Foundation::create(config, log);
    if (!base) {
        return std::unexpected(std::move(base).error());
    }
    auto process = std::unique_ptr<Process>(new Process(*std::move(base)));
    MUSTER_TRY(process->open());
    process->say_where();
    return process;
}

Result<void> Process::open() {
    const runtime::ServerConfig& config = base_->config;
    const std::string peer_address;
    if (has_role(config, Role::meta)) {
        auto made = MetaPart::create(*base_, nullptr);
        if (!made) {
            return std::unexpected(std::move(made).error());
        }
        meta_ = *std::move(made);
    }
    if (has_role(config, Role::data)) {
        data_ = std::make_unique<DataPart>(*base_, peer_address);
    }
    if (has_role(config, Role::session)) {
        auto made = SessionPart::create(*base_, peer_address);
        if (!made) {
            return std::unexpected(std::move(made).error());
        }
        session_ = *std::move(made);
    }
    attach();
    http_ = std::make_unique<HttpPart>(
        *base_, HttpPartEnv{.session = session_ != nullptr ? &session_->role() : nullptr,
                            .metrics = [this](MetricsWriter& writer) { write_metrics(writer); },
                            .readiness = {}});
    return http_->listen();
}

void Process::attach() {
    const NodeId& node = base_->identity.node();
    if (meta_ != nullptr) {
        base_->bus->attach({node, Role::meta}, meta_->role());
    }
    if (data_ != nullptr) {
        base_->bus->attach({node, Role::data}, data_->role());
    }
    if (session_ != nullptr) {
        base_->bus->attach({node, Role::session}, session_->role());
    }
}

void Process::say_where() const {
    std::string roles;
    for (const Role role : base_->config.roles) {
        roles += (roles.empty() ? "" : ",") + std::string(to_string(role));
    }
    const std::string bolt =
        session_ != nullptr ? env::to_string(session_->listening()) : std::string("-");
    base_->log.info("server.listening", {{"node", base_->identity.node().raw()},
                                         {"roles", roles},
                                         {"bolt", bolt},
                                         {"http", env::to_string(http_->listening())},
                                         {"data_dir", base_->config.data_dir},
                                         {"version", MUSTER_VERSION}});
}

void Process::write_metrics(MetricsWriter& writer) const {
    if (session_ != nullptr) {
        session_->write_metrics(writer);
    }
    if (data_ != nullptr) {
        data_->write_metrics(writer);
    }
    if (meta_ != nullptr) {
        meta_->write_metrics(writer);
    }
    base_->write_metrics(writer);
}

Result<void> Process::run() {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that goes is an answer of write(), not our end
    constexpr std::array kSignals{SIGINT, SIGTERM};
    MUSTER_TRY(base_->loop->on_signals(kSignals, [this](int signal) {
        base_->log.info("server.stopping", {{"signal", signal}});
        base_->loop->stop();
    }));
    if (data_ != nullptr) {
        data_->start();
    }
    if (session_ != nullptr) {
        session_->start();
    }
    base_->loop->run();
    if (session_ != nullptr) {
        session_->stop();
    }
    return {};
}

}  // namespace muster::cli
