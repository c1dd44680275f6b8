#include "roles/client/client_impl.h"

namespace muster::client {

void ClientRole::Impl::set_state(ClientState state) {
    state_ = state;
    env_.log.info("client.state", {{"state", to_string(state)}, {"server", server_}});
    env_.observer.on_state(state, server_);
}

bool ClientRole::Impl::is_current(LinkId link) {
    if (link != current_ || state_ != ClientState::connected) {
        return false;
    }
    heard_ = true;
    return true;
}

void ClientRole::Impl::start() {
    if (state_ == ClientState::stopped) {
        attempt_ = 0;
        connect_now();
    }
}

void ClientRole::Impl::stop() {
    if (state_ == ClientState::stopped) {
        return;
    }
    drop_moving();
    drop_draining();
    if (current_ != LinkId{}) {
        env_.link.disconnect(current_);
        current_ = {};
    }
    for (const auto timer : {Timer::flush, Timer::reconnect, Timer::connect_timeout,
                             Timer::heartbeat, Timer::requests, Timer::resend, Timer::poll}) {
        cancel(timer);
    }
    open_.clear();
    server_.clear();
    set_state(ClientState::stopped);
}

void ClientRole::Impl::set_servers(std::vector<std::string> servers) {
    servers_.configure(std::move(servers));
    if (state_ == ClientState::disconnected) {
        arm(Timer::reconnect, Duration{});
    }
}

void ClientRole::Impl::connect_now() {
    server_ = servers_.next();
    if (server_.empty()) {
        retry_later();
        return;
    }
    current_ = last_link_ = LinkId(last_link_.raw() + 1);
    env_.link.connect(current_, server_);
    arm(Timer::connect_timeout, options_.connect_timeout);
    set_state(ClientState::connecting);
}

void ClientRole::Impl::retry_later() {
    const RetryOptions retry{.first_spread = options_.first_retry_spread,
                             .base = options_.retry_base,
                             .max = options_.retry_max};
    arm(Timer::reconnect, retry_delay(retry, attempt_, prng_));
    if (attempt_ < UINT32_MAX) {
        ++attempt_;
    }
    server_.clear();
    set_state(ClientState::disconnected);
}

// The current link failed or is given up; its sends are forgotten, its wishes are not.
void ClientRole::Impl::lose_link(const Error& why) {
    const bool was_up = state_ == ClientState::connected;
    env_.log.warning(was_up ? "client.link.lost" : "client.connect.failed",
                     {{"server", server_}, {"why", to_string(why)}});
    (was_up ? probes_.links_lost : probes_.connect_failures).add();
    if (was_up && env_.clock.mono() - up_since_ >= options_.stable_after) {
        attempt_ = 0;
    }
    for (const auto timer :
         {Timer::connect_timeout, Timer::heartbeat, Timer::requests, Timer::resend, Timer::poll}) {
        cancel(timer);
    }
    open_.clear();
    unsubscribes_.clear();
    unwatches_.clear();
    drop_draining();
    current_ = {};
    if (moving_ != LinkId{}) {  // what was to be the next one becomes the only one
        current_ = std::exchange(moving_, {});
        server_ = std::exchange(move_to_, {});
        cancel(Timer::move_timeout);
        arm(Timer::connect_timeout, options_.connect_timeout);
        set_state(ClientState::connecting);
        return;
    }
    drop_moving();
    retry_later();
    if (!was_up) {
        show_cached_lists();
    }
}

void ClientRole::Impl::drop_moving() {
    if (moving_ != LinkId{}) {
        env_.link.disconnect(std::exchange(moving_, {}));
    }
    move_to_.clear();
    cancel(Timer::move_begin);
    cancel(Timer::move_timeout);
}

void ClientRole::Impl::drop_draining() {
    if (draining_ != LinkId{}) {
        env_.link.disconnect(std::exchange(draining_, {}));
    }
    cancel(Timer::drain);
}

// `link` is up and takes over: everything is said anew on it.
void ClientRole::Impl::adopt(LinkId link) {
    current_ = link;
    up_since_ = env_.clock.mono();
    heard_ = true;
    missed_ = 0;
    timeouts_in_a_row_ = 0;
    resends_in_a_row_ = 0;
    resend_armed_ = false;
    open_.clear();
    unsubscribes_.clear();
    unwatches_.clear();
    cancel(Timer::connect_timeout);
    cancel(Timer::requests);
    cancel(Timer::resend);
    probes_.connects.add();
    const std::int64_t now_ms = stamp();
    registrations_.on_connected(now_ms);
    lists_.on_connected(now_ms, up_since_);
    watches_.on_connected(now_ms, up_since_);
    arm(Timer::heartbeat, options_.heartbeat_interval);
    if (options_.poll_interval > Duration{}) {
        arm(Timer::poll, options_.poll_interval / 2);
    }
    set_state(ClientState::connected);
    flush();
}

void ClientRole::Impl::on_link_up(LinkId link) {
    if (link == current_ && state_ == ClientState::connecting) {
        adopt(link);
    } else if (link == moving_ && moving_ != LinkId{}) {
        drop_draining();
        draining_ = current_;
        moving_ = {};
        server_ = std::exchange(move_to_, {});
        cancel(Timer::move_timeout);
        probes_.moves.add();
        arm(Timer::drain, options_.move_drain_max);
        adopt(link);
        drained_check();
    } else if (link != current_ && link != draining_) {
        env_.link.disconnect(link);  // came too late
    }
}

void ClientRole::Impl::on_link_down(LinkId link, const Error& why) {
    if (link == LinkId{}) {
        return;
    }
    if (link == current_) {
        lose_link(why);
    } else if (link == moving_) {
        moving_ = {};
        drop_moving();
        env_.log.warning("client.move.failed", {{"why", to_string(why)}});
    } else if (link == draining_) {
        draining_ = {};
        drop_draining();
    }
}

void ClientRole::Impl::on_hint(LinkId link, const msg::ServerHint& hint) {
    if (!is_current(link)) {
        return;
    }
    if (!hint.servers.empty()) {
        servers_.learn(hint.servers);
    }
    if (hint.move_to.empty() || hint.move_to == server_) {
        return;
    }
    if (moving_ != LinkId{}) {
        env_.link.disconnect(std::exchange(moving_, {}));
        cancel(Timer::move_timeout);
    }
    move_to_ = hint.move_to;
    arm(Timer::move_begin, Duration(prng_.between(0, options_.move_spread.count())));
}

void ClientRole::Impl::begin_move() {
    if (state_ != ClientState::connected || move_to_.empty() || moving_ != LinkId{}) {
        return;
    }
    moving_ = last_link_ = LinkId(last_link_.raw() + 1);
    env_.link.connect(moving_, move_to_);
    arm(Timer::move_timeout, options_.connect_timeout);
}

void ClientRole::Impl::on_heartbeat_timer() {
    missed_ = heard_ ? 0 : missed_ + 1;
    heard_ = false;
    if (missed_ >= options_.heartbeats_missed_max) {
        env_.link.disconnect(current_);
        lose_link({.code = Errc::timeout, .detail = "heartbeats were not answered"});
        return;
    }
    env_.link.send_heartbeat(current_);
    arm(Timer::heartbeat, options_.heartbeat_interval);
}

void ClientRole::Impl::on_timer(env::TimerKey key) {
    switch (static_cast<Timer>(key.raw())) {
        case Timer::flush: flush(); break;
        case Timer::reconnect:
            if (state_ == ClientState::disconnected) {
                connect_now();
            }
            break;
        case Timer::connect_timeout:
            if (state_ == ClientState::connecting) {
                env_.link.disconnect(current_);
                lose_link({.code = Errc::timeout, .detail = "connect"});
            }
            break;
        case Timer::heartbeat:
            if (state_ == ClientState::connected) {
                on_heartbeat_timer();
            }
            break;
        case Timer::requests: on_request_timer(); break;
        case Timer::resend:
            resend_armed_ = false;
            registrations_.deliveries().wake();
            lists_.deliveries().wake();
            watches_.deliveries().wake();
            flush();
            break;
        case Timer::poll: on_poll_timer(); break;
        case Timer::cache: show_cached_lists(); break;
        case Timer::move_begin: begin_move(); break;
        case Timer::move_timeout: drop_moving(); break;
        case Timer::drain: drop_draining(); break;
    }
}

}  // namespace muster::client
