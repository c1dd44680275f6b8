#include "apps/muster/server/http_part.h"

#include <utility>

#include "apps/muster/server/role_options.h"
#include "base/check.h"

namespace muster::cli {

// Stands in where a process has no session. The door shows no route then that would ask it for more
// than its status.
class HttpPart::NoSession final : public session::ClientFace, public session::QueryFace {
public:
    explicit NoSession(std::string center) : center_(std::move(center)) {}

    void on_client_open(env::ConnId, session::ClientInfo, msg::ClientPort&) override {
        CHECK_BECAUSE(false, "no client is served here");
    }
    void on_client_message(env::ConnId, const msg::ClientMessage&) override {
        CHECK_BECAUSE(false, "no client is served here");
    }
    void on_client_drained(env::ConnId) override {}
    void on_client_closed(env::ConnId) override {}
    [[nodiscard]] const std::string& center() const override {
        return center_;
    }
    [[nodiscard]] std::vector<std::string> server_list() const override {
        return {};
    }

    // Whether the process is ready its other roles say.
    [[nodiscard]] session::SessionStatus status() const override {
        return {.ready = true, .settled = true};
    }
    // Operators' questions are bounded where they are answered.
    [[nodiscard]] Result<void> admit_query(const std::string&, const std::string&) override {
        return {};
    }
    [[nodiscard]] std::vector<session::ServerLoad> server_loads() const override {
        return {};
    }
    [[nodiscard]] std::vector<session::SubscriberInfo> subscribers_of(
        const Service&) const override {
        return {};
    }
    [[nodiscard]] std::vector<session::FlappingInstance> flapping(std::size_t) const override {
        return {};
    }
    void query_services(std::uint64_t, const msg::ListServices&, session::QueryPort&) override {
        CHECK_BECAUSE(false, "no client is served here");
    }
    void put_config(std::uint64_t, const Service&, std::optional<std::string>,
                    session::QueryPort&) override {
        CHECK_BECAUSE(false, "no client is served here");
    }

private:
    std::string center_;
};

HttpPart::HttpPart(Foundation& base, HttpPartEnv env)
    : base_(base),
      no_session_(env.session == nullptr ? std::make_unique<NoSession>(base.config.center)
                                         : nullptr),
      timers_(*base.loop) {
    http::HttpDoorOptions options = http_options(base.config);
    options.operators_only = env.session == nullptr;
    options.metrics.push_back(std::move(env.metrics));
    options.readiness = std::move(env.readiness);
    session::ClientFace& clients =
        env.session != nullptr ? static_cast<session::ClientFace&>(*env.session) : *no_session_;
    session::QueryFace& queries =
        env.session != nullptr ? static_cast<session::QueryFace&>(*env.session) : *no_session_;
    door_ = std::make_unique<http::HttpDoor>(std::move(options),
                                             http::HttpDoorEnv{.net = *base.net,
                                                               .clock = *base.loop,
                                                               .timers = timers_,
                                                               .clients = clients,
                                                               .queries = queries,
                                                               .cluster = &env.cluster});
    timers_.bind(*door_);
}

HttpPart::~HttpPart() = default;

Result<void> HttpPart::listen() {
    const env::SocketAddress& wanted = base_.config.http.listen;
    auto at = door_->listen(wanted);
    if (!at) {
        return explain_listen(std::move(at).error(), "http.listen", wanted);
    }
    listening_ = *std::move(at);
    return {};
}

}  // namespace muster::cli
