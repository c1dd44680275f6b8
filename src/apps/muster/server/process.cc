#include "apps/muster/server/process.h"

#include <array>
#include <csignal>
#include <utility>

#include "apps/muster/server/data_part.h"
#include "apps/muster/server/desks.h"
#include "apps/muster/server/http_part.h"
#include "apps/muster/server/join_watch.h"
#include "apps/muster/server/links_part.h"
#include "apps/muster/server/meta_part.h"
#include "apps/muster/server/session_part.h"

namespace muster::cli {

// Stands before a role: takes what is for the process, and looks at what the metas tell the role.
class Process::FrontDesk final : public msg::Receiver {
public:
    FrontDesk(Process& process, msg::Receiver& role) : process_(process), role_(role) {}

    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override {
        if (process_.desks_->take(from, message)) {
            return;
        }
        role_.on_message(from, message);
        const auto* reply = std::get_if<msg::NodeHeartbeatReply>(&message);
        if (reply != nullptr && reply->members) {
            process_.dial(*reply->members, reply->members_epoch);
        }
    }

    void on_link(const NodeId& node, msg::LinkEvent event) override {
        role_.on_link(node, event);
        if (event == msg::LinkEvent::closed && &role_ == process_.raft_role()) {
            process_.meta_->raft()->on_peer_gone(node);
        }
    }

private:
    Process& process_;
    msg::Receiver& role_;
};

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
    if (is_clustered(base_->config)) {
        auto made = LinksPart::create(*base_);
        if (!made) {
            return std::unexpected(std::move(made).error());
        }
        links_ = *std::move(made);
    }
    MUSTER_TRY(open_roles());
    return open_http();
}

Result<void> Process::open_roles() {
    const runtime::ServerConfig& config = base_->config;
    const std::string peer_address = links_ != nullptr ? links_->peer_address() : "";
    if (has_role(config, Role::meta)) {
        auto made = MetaPart::create(*base_, links_.get());
        if (!made) {
            return std::unexpected(std::move(made).error());
        }
        meta_ = *std::move(made);
        if (links_ != nullptr) {
            links_->serve(*meta_->raft());
        }
        attach(Role::meta, meta_->role());
    }
    const auto follow = [this](const std::vector<Member>& members) {
        if (links_ != nullptr) {
            links_->follow(members);
        }
    };
    if (has_role(config, Role::data)) {
        data_ = std::make_unique<DataPart>(*base_, peer_address);
        data_->on_members = follow;
        attach(Role::data, data_->role());
    }
    if (has_role(config, Role::session)) {
        auto made = SessionPart::create(*base_, peer_address);
        if (!made) {
            return std::unexpected(std::move(made).error());
        }
        session_ = *std::move(made);
        session_->on_members = follow;
        attach(Role::session, session_->role());
    }
    return {};
}

const msg::Receiver* Process::raft_role() const {
    return meta_ != nullptr && meta_->raft() != nullptr ? &meta_->role() : nullptr;
}

void Process::attach(Role role, msg::Receiver& receiver) {
    front_desks_.push_back(std::make_unique<FrontDesk>(*this, receiver));
    base_->bus->attach({base_->identity.node(), role}, *front_desks_.back());
}

Result<void> Process::open_http() {
    watch_timers_ = std::make_unique<runtime::LoopTimers>(*base_->loop);
    join_watch_ = std::make_unique<JoinWatch>(
        JoinWatch::Env{.clock = *base_->loop, .timers = *watch_timers_, .log = base_->log}, [this] {
            look_around();
            return waits_for();
        });
    watch_timers_->bind(*join_watch_);
    desks_ = std::make_unique<Desks>(*base_, session_ != nullptr, [this] { return known(); });
    if (session_ != nullptr) {
        session_->put_marks_to(desks_->marks());
    }
    http_ = std::make_unique<HttpPart>(
        *base_, HttpPartEnv{.session = session_ != nullptr ? &session_->role() : nullptr,
                            .cluster = desks_->cluster(),
                            .metrics = [this](MetricsWriter& writer) { write_metrics(writer); },
                            .readiness = {[this] { return waits_for(); }}});
    return http_->listen();
}

LastKnown Process::known() const {
    const MonoTime now = base_->loop->mono();
    LastKnown known;
    if (meta_ != nullptr) {
        known.report = meta_->role().report();
        known.report.leader = {};
        known.report.term = 0;
        known.age = agreed_ ? std::optional(now - *agreed_) : std::nullopt;
    }
    if (data_ != nullptr) {
        known = newer_of(std::move(known),
                         last_known(data_->role().view(), base_->identity.metas, now));
    }
    if (session_ != nullptr) {
        known = newer_of(std::move(known),
                         last_known(session_->role().view(), base_->identity.metas, now));
    }
    return known;
}

void Process::dial(const std::vector<Member>& members, std::uint64_t epoch) {
    if (links_ != nullptr && epoch > dialled_epoch_) {
        dialled_epoch_ = epoch;
        links_->follow(members);
    }
}

void Process::look_around() {
    if (meta_ != nullptr && !meta_->not_ready()) {
        agreed_ = base_->loop->mono();
    }
    if (data_ != nullptr) {
        look_at(data_->role().view());
    }
    if (session_ != nullptr) {
        look_at(session_->role().view());
    }
}

void Process::look_at(const node::NodeView& view) {
    // Kept members are dialled before any meta has answered.
    dial(view.members(), view.members_epoch());
    if (auto why = view.refused(base_->loop->mono())) {
        outcome_ = wrap("the metas do not let this node in", *std::move(why));
        base_->loop->stop();
    }
}

std::optional<std::string> Process::waits_for() const {
    std::optional<std::string> what;
    if (meta_ != nullptr) {
        what = meta_->not_ready();
    }
    if (!what && data_ != nullptr) {
        what = data_->not_ready();
    }
    if (!what && session_ != nullptr) {
        what = session_->not_ready();
    }
    if (what && links_ != nullptr) {
        *what += " (" + links_->say_linked() + ")";
    }
    return what;
}

void Process::say_where() const {
    const std::string peer = links_ != nullptr ? links_->peer_address() : "-";
    std::string roles;
    for (const Role role : base_->config.roles) {
        roles += (roles.empty() ? "" : ",") + std::string(to_string(role));
    }
    const std::string bolt =
        session_ != nullptr ? env::to_string(session_->listening()) : std::string("-");
    base_->log.info("server.listening", {{"node", base_->identity.node().raw()},
                                         {"roles", roles},
                                         {"peer", peer},
                                         {"bolt", bolt},
                                         {"http", env::to_string(http_->listening())},
                                         {"data_dir", base_->config.data_dir},
                                         {"version", MUSTER_VERSION}});
}

void Process::write_metrics(MetricsWriter& writer) const {
    if (session_ != nullptr) {
        session_->write_metrics(writer);
    }
    if (links_ != nullptr) {
        links_->write_metrics(writer);
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
    MUSTER_TRY(base_->loop->on_signals(kSignals, [this](int signal) { on_signal(signal); }));
    if (data_ != nullptr) {
        data_->start();
    }
    if (session_ != nullptr) {
        session_->start();
    }
    join_watch_->start();
    base_->loop->run();
    if (session_ != nullptr) {
        session_->stop();
    }
    return outcome_;
}

// The first one ends it politely, the second one at once.
void Process::on_signal(int signal) {
    base_->log.info("server.stopping", {{"signal", signal}});
    if (!parts_to_leave_.empty()) {
        base_->loop->stop();
        return;
    }
    if (meta_ != nullptr) {
        parts_to_leave_.insert(Role::meta);
        meta_->role().leave([this] { on_left(Role::meta); });
    }
    if (session_ != nullptr) {
        parts_to_leave_.insert(Role::session);
        session_->leave([this] { on_left(Role::session); });
    }
    if (parts_to_leave_.empty()) {
        base_->loop->stop();
    }
}

void Process::on_left(Role role) {
    parts_to_leave_.erase(role);
    if (parts_to_leave_.empty()) {
        base_->loop->stop();
    }
}

}  // namespace muster::cli
