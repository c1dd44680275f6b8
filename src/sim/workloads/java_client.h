#pragma once

#include <map>

#include "sim/workloads/sim_client.h"

namespace muster::sim {

// Behaves as the Java client of SOFARegistry does (wire/bolt-hessian 4 and 5): takes whole lists
// only, keeps the last version of each subscriber for ever and ignores what is not greater, asks
// again every half second for what was not answered, and after a lost connection registers all
// anew, with the same ids and versions and new timestamps, after 20 ms to 10 s.
class JavaClient final : public SimClient, private ClientEnd {
public:
    using SimClient::SimClient;

    void start() override;
    void subscribe(const Service& service, Scope scope) override;
    void unsubscribe(Listener listener) override;
    void watch(const std::string& key) override;
    void unwatch(const std::string& key) override;
    [[nodiscard]] bool settled() const override;

private:
    enum class Task : std::uint8_t { publication, removal, subscription, unsubscription, watch };
    struct Registration {
        Task task = Task::publication;
        Service service;
        std::string content;
        Scope scope = Scope::zone;
        std::int64_t version = 1;
        bool done = false;  // answered on this connection
        std::uint64_t request = 0;
    };

    RegistId do_publish(const Service& service, const std::string& content) override;
    void do_update(const RegistId& id, const std::string& content) override;
    void do_withdraw(const RegistId& id) override;

    void on_up(PipeId pipe) override;
    void on_message(PipeId pipe, const ToClient& message) override;
    void on_down(PipeId pipe) override;

    void on(const msg::RequestReply& reply);
    void on(const msg::Push& push);
    void on(const msg::ConfigPush& push);
    void on(const msg::ServerHint&) {}
    void on(const HeartbeatAck&) {}

    void reconnect();
    void begin_connect();
    void work();  // the worker thread: sends what is not done
    void send(const std::string& id, Registration& registration);
    [[nodiscard]] std::string new_id(char kind);

    std::map<std::string, Registration> registrations_;
    std::map<std::string, Version> versions_;         // by subscriber id, for ever
    std::map<std::string, Version> config_versions_;  // by key
    bool up_ = false;
    MonoTime heard_;
    MonoTime said_;
    std::uint64_t attempt_ = 0;
    std::uint64_t last_id_ = 0;
    std::uint64_t last_request_ = 0;
};

}  // namespace muster::sim
