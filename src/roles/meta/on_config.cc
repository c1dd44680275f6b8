#include <fmt/format.h>

#include "roles/meta/meta_impl.h"

namespace muster::meta {
namespace {

Result<void> check_put(const msg::ConfigPut& put) {
    if (put.key.empty() || put.key.size() > kConfigKeyBytesMax) {
        return fail(Errc::invalid_argument,
                    fmt::format("a configuration key has 1 to {} bytes, this one {}",
                                kConfigKeyBytesMax, put.key.size()));
    }
    if (put.value && put.value->size() > kConfigValueBytesMax) {
        return fail(Errc::too_large, fmt::format("a configuration value has at most {} bytes, "
                                                 "this one {}",
                                                 kConfigValueBytesMax, put.value->size()));
    }
    return {};
}

}  // namespace

void MetaServer::Impl::on_config_interest(const msg::RoleAddress& from,
                                          const msg::ConfigInterest& interest) {
    if (from.role != Role::session || interest.items.size() > options_.watch_keys_per_session_max) {
        refused_messages_.add();
        return;
    }
    if (!leading_ || liveness_.find(from) == nullptr) {
        return;  // it is said again, after a heartbeat that lets us know the session
    }
    for (const msg::ConfigInterest::Item& item : interest.items) {
        const bool fits = !item.key.empty() && item.key.size() <= kConfigKeyBytesMax;
        if (!fits || !watches_.add(from, item.key)) {
            refused_messages_.add();
            continue;
        }
        const auto entry = state_.config().find(item.key);
        if (entry != state_.config().end()) {
            if (entry->second.version > item.held) {
                env_.outbox.send(from, msg::ConfigValue{.key = item.key,
                                                        .version = entry->second.version,
                                                        .value = entry->second.value});
            }
        } else if (item.held == Version()) {
            // Never set: an answer too, or the session would wait for one.
            env_.outbox.send(from, msg::ConfigValue{.key = item.key, .version = {}, .value = {}});
        }
    }
}

void MetaServer::Impl::answer_put(const PutFrom& to, Result<Version> result) {
    if (!result) {
        refused_puts_.add();
    }
    env_.outbox.send(to.session, msg::ConfigPutReply{.incarnation = to.incarnation,
                                                     .request = to.request,
                                                     .result = std::move(result)});
}

void MetaServer::Impl::on_put_turn_request(const msg::RoleAddress& from,
                                           const msg::PutTurnRequest& ask) {
    if (!leading_) {
        return;  // the leader answers
    }
    env_.outbox.send(from, msg::PutTurnReply{.incarnation = ask.incarnation,
                                             .request = ask.request,
                                             .turn = put_order_.next_turn()});
}

void MetaServer::Impl::on_config_put(const msg::RoleAddress& from, const msg::ConfigPut& put) {
    if (!leading_) {
        return;  // another one leads by now, or will; the session asks it for a turn
    }
    const PutFrom sender{from, put.incarnation, put.request};
    if (auto fine = check_put(put); !fine) {
        answer_put(sender, std::unexpected(std::move(fine).error()));
        return;
    }
    if (puts_open_ >= options_.puts_waiting_max) {
        answer_put(sender, fail(Errc::over_limit, "too many configuration changes wait"));
        return;
    }
    auto before = put_order_.admit(put.key, put.turn);
    if (!before) {
        answer_put(sender, std::unexpected(std::move(before).error()));
        return;
    }
    if (*before != nullptr) {
        if (const PutOrder::Outcome& outcome = **before) {
            answer_put(sender, *outcome);
        }
        return;  // under way: answered when it is done
    }
    ++puts_open_;
    const Version physical = version_at(env_.clock.wall());
    PutOpen open{.sender = sender, .key = put.key, .turn = put.turn};
    if (put.value) {
        propose(std::move(open),
                PutConfig{.key = put.key, .value = *put.value, .physical = physical});
    } else {
        propose(std::move(open), ClearConfig{.key = put.key, .physical = physical});
    }
}

void MetaServer::Impl::finish_put(const PutOpen& put, const Result<Version>& outcome) {
    --puts_open_;
    puts_.add(outcome ? 1 : 0);
    put_order_.finish(put.key, put.turn, outcome);
    answer_put(put.sender, outcome);
    if (outcome) {
        tell_watchers(put.key);
    }
}

void MetaServer::Impl::tell_watchers(std::string_view key) {
    const auto* watchers = watches_.watchers_of(key);
    const auto entry = state_.config().find(key);
    if (watchers == nullptr || entry == state_.config().end()) {
        return;
    }
    for (const msg::RoleAddress& who : *watchers) {
        env_.outbox.send(who, msg::ConfigValue{.key = entry->first,
                                               .version = entry->second.version,
                                               .value = entry->second.value});
    }
}

}  // namespace muster::meta
