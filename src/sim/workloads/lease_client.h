#pragma once

#include <map>

#include "sim/workloads/sim_client.h"

namespace muster::sim {

// A client of the HTTP kind: its registrations belong to no connection but live while they are
// renewed within their lease; it publishes only. When it dies, however, its publications fall
// silent.
class LeaseClient final : public SimClient, private ClientEnd {
public:
    static constexpr Duration kLease = std::chrono::seconds(15);
    static constexpr Duration kRenewal = std::chrono::seconds(2);

    using SimClient::SimClient;

    void start() override;
    void subscribe(const Service&, Scope) override {}
    void unsubscribe(Listener) override {}
    void watch(const std::string&) override {}
    void unwatch(const std::string&) override {}
    [[nodiscard]] bool settled() const override;
    [[nodiscard]] bool falls_silent() const override {
        return true;
    }

private:
    struct Registration {
        Service service;
        std::string content;
        RegistOrder order;
        bool withdrawn = false;
        bool done = false;  // answered on this connection
        std::uint64_t request = 0;
    };

    RegistId do_publish(const Service& service, const std::string& content) override;
    void do_update(const RegistId& id, const std::string& content) override;
    void do_withdraw(const RegistId& id) override;

    void on_up(PipeId pipe) override;
    void on_message(PipeId pipe, const ToClient& message) override;
    void on_down(PipeId pipe) override;

    void renew();
    void reconnect();
    void send(const RegistId& id, Registration& registration);
    [[nodiscard]] RegistOrder next_order(const Registration& registration);

    std::map<RegistId, Registration> registrations_;
    bool up_ = false;
    MonoTime heard_;
    std::uint64_t last_id_ = 0;
    std::uint64_t last_request_ = 0;
};

}  // namespace muster::sim
