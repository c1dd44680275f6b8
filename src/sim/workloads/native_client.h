#pragma once

#include <map>

#include "roles/client/client.h"
#include "sim/workloads/sim_client.h"

namespace muster::sim {

// The real client role, on pipes in place of sockets.
class NativeClient final : public SimClient,
                           private ClientEnd,
                           private client::ClientLink,
                           private client::ClientObserver {
public:
    NativeClient(ClientWorld world, Prng prng, std::string name, std::string zone);

    void start() override;
    void subscribe(const Service& service, Scope scope) override;
    void unsubscribe(Listener listener) override;
    void watch(const std::string& key) override;
    void unwatch(const std::string& key) override;
    [[nodiscard]] bool settled() const override;

private:
    RegistId do_publish(const Service& service, const std::string& content) override;
    void do_update(const RegistId& id, const std::string& content) override;
    void do_withdraw(const RegistId& id) override;

    // ClientEnd
    void on_up(PipeId pipe) override;
    void on_message(PipeId pipe, const ToClient& message) override;
    void on_down(PipeId pipe) override;

    // ClientLink
    void connect(client::LinkId link, const std::string& server) override;
    void send(client::LinkId link, msg::ClientMessage message) override;
    void send_heartbeat(client::LinkId link) override;
    void disconnect(client::LinkId link) override;

    // ClientObserver
    void on_list(const client::ListKey& key, const client::ListState& list) override;
    void on_config(const Service& key, const client::ConfigState& config) override;
    void on_state(client::ClientState state, const std::string& server) override;
    void on_registered(const RegistId& id, std::int64_t version,
                       const Result<void>& result) override;

    void on(client::LinkId link, const msg::RequestReply& reply);
    void on(client::LinkId link, const msg::Push& push);
    void on(client::LinkId link, const msg::ConfigPush& push);
    void on(client::LinkId link, const msg::ServerHint& hint);
    void on(client::LinkId link, const HeartbeatAck& ack);

    [[nodiscard]] client::PublicationSpec spec(const Service& service,
                                               const std::string& content) const;
    [[nodiscard]] Listener* listener_of(const Service& service, Scope scope);

    ProcessTimers timers_;
    client::ClientRole role_;
    std::map<client::LinkId, PipeId> pipes_;
    std::map<PipeId, client::LinkId> links_;
    client::LinkId serving_;  // the one that came up last
    ServerLife told_by_;      // the server of the push that is being taken
};

}  // namespace muster::sim
