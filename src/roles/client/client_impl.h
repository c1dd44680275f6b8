#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "roles/client/client.h"
#include "roles/client/lists.h"
#include "roles/client/registrations.h"
#include "roles/client/server_choice.h"

namespace muster::client {

// The parts of a ClientRole and what they share: client.cc has the wishes, on_link.cc the state
// machine of the connection, on_server.cc what is sent on it and what comes back.
class ClientRole::Impl {
public:
    Impl(ClientOptions options, ClientEnv env);

    // ---- client.cc
    Result<RegistId> register_publication(PublicationSpec spec);
    Result<void> update(const RegistId& id, PublicationSpec spec);
    Result<void> unregister(const RegistId& id);
    void unregister_all();
    Result<void> subscribe(const ListKey& wanted);
    Result<void> unsubscribe(const ListKey& wanted);
    Result<void> watch_config(const Service& key);
    Result<void> unwatch_config(const Service& key);
    [[nodiscard]] ListState list(const ListKey& key) const;
    [[nodiscard]] ConfigState config(const Service& key) const;
    [[nodiscard]] ClientStatus status() const;
    [[nodiscard]] LinkId link() const {
        return state_ == ClientState::connected ? current_ : LinkId{};
    }
    [[nodiscard]] PublicationPtr registration(const RegistId& id) const;
    void write_metrics(MetricsWriter& writer) const;
    [[nodiscard]] std::vector<ListSnapshot> export_lists() const;
    void import_lists(std::vector<ListSnapshot> lists);

    // ---- on_link.cc
    void start();
    void stop();
    void set_servers(std::vector<std::string> servers);
    void on_link_up(LinkId link);
    void on_link_down(LinkId link, const Error& why);
    void on_hint(LinkId link, const msg::ServerHint& hint);
    void on_timer(env::TimerKey key);

    // ---- on_server.cc
    void flush();
    void on_reply(LinkId link, const msg::RequestReply& reply);
    void on_request_failed(LinkId link, msg::RequestId request, const Error& why);
    void on_push(LinkId link, const msg::Push& push);
    void on_config_push(LinkId link, const msg::ConfigPush& push);
    void on_heartbeat_ack(LinkId link);

private:
    enum class Timer : std::uint64_t {
        flush,
        reconnect,
        connect_timeout,
        heartbeat,
        requests,
        resend,
        poll,
        cache,
        move_begin,
        move_timeout,
        drain,
    };
    enum class RequestKind : std::uint8_t { registrations, lists, watches, withdrawals };
    struct OpenRequest {
        RequestKind kind = RequestKind::registrations;
        std::vector<WishId> wishes;
        MonoTime deadline;
    };
    struct Probes {
        Counter connects, connect_failures, links_lost, moves;
        Counter requests, request_timeouts, refusals;
        Counter pushes_full, pushes_delta, pushes_older, pushes_unfit, pushes_over_limit;
        Counter digest_mismatches, polls;
    };

    void arm(Timer timer, Duration delay) {
        env_.timers.arm(env::TimerKey(static_cast<std::uint64_t>(timer)), delay);
    }
    void cancel(Timer timer) {
        env_.timers.cancel(env::TimerKey(static_cast<std::uint64_t>(timer)));
    }

    // ---- client.cc
    [[nodiscard]] std::pair<WishId, RegistId> next_wish();
    [[nodiscard]] WishId wish_of(const RegistId& id) const;  // 0: none of ours
    [[nodiscard]] ListKey normal(ListKey key) const;
    [[nodiscard]] Result<Publication> make_publication(PublicationSpec spec) const;
    // Strictly growing, never below the wall clock.
    [[nodiscard]] std::int64_t stamp();
    void send_soon();
    void show_cached_lists();

    // ---- on_link.cc
    void set_state(ClientState state);
    void connect_now();
    void retry_later();
    void lose_link(const Error& why);
    void drop_moving();
    void drop_draining();
    void begin_move();
    void adopt(LinkId link);
    void on_heartbeat_timer();
    [[nodiscard]] bool is_current(LinkId link);

    // ---- on_server.cc
    [[nodiscard]] msg::RequestId next_request();
    void send_request(RequestKind kind, msg::RequestId request, std::vector<WishId> wishes,
                      msg::ClientMessage message);
    [[nodiscard]] bool send_next();
    void finish(const OpenRequest& open, const msg::RequestReply& reply);
    void on_request_timer();
    void arm_request_timer();
    void arm_resend();
    void on_poll_timer();
    [[nodiscard]] bool apply_to(Lists::Entry& entry, const msg::Push& push, bool& is_news);
    void unsubscribe_stray(const msg::Push& push, const RegistId& id);
    void drained_check();

    ClientOptions options_;
    ClientEnv env_;
    Prng prng_;
    ServerChoice servers_;

    Registrations registrations_;
    Lists lists_;
    Watches watches_;
    // Unsubscribe and UnwatchConfig for the present connection; they end with it.
    std::vector<msg::Unsubscribe::Item> unsubscribes_;
    std::deque<Watch> unwatches_;
    std::map<ListKey, ListSnapshot> cached_;
    WishId last_wish_ = 0;
    std::int64_t last_stamp_ms_ = 0;

    ClientState state_ = ClientState::stopped;
    std::string server_;
    LinkId last_link_;
    LinkId current_;   // being made or up; zero: none
    LinkId moving_;    // being made to take current_'s place
    LinkId draining_;  // has been replaced
    std::string move_to_;
    MonoTime up_since_;
    std::uint32_t attempt_ = 0;
    bool heard_ = false;  // anything on current_ since the last heartbeat
    std::uint32_t missed_ = 0;

    std::map<msg::RequestId, OpenRequest> open_;
    std::uint64_t last_request_ = 0;
    std::uint32_t timeouts_in_a_row_ = 0;
    std::uint32_t resends_in_a_row_ = 0;
    bool resend_armed_ = false;
    Probes probes_;
};

}  // namespace muster::client
