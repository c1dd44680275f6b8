#include <fmt/format.h>

#include "base/hash.h"
#include "roles/meta/meta_impl.h"

namespace muster::meta {
namespace {

std::uint64_t content_hash(const msg::ConfigPut& put) {
    return hash64(put.value ? *put.value : std::string_view(), hash64(put.key, put.value ? 1 : 0));
}

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
    if (!leading_ || heard_.find(from) == nullptr) {
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

void MetaServer::Impl::answer_put(const msg::RoleAddress& to, std::uint64_t request,
                                  Result<Version> result) {
    if (!result) {
        refused_puts_.add();
    }
    env_.outbox.send(to, msg::ConfigPutReply{.request = request, .result = std::move(result)});
}

void MetaServer::Impl::on_config_put(const msg::RoleAddress& from, const msg::ConfigPut& put) {
    if (auto fine = check_put(put); !fine) {
        answer_put(from, put.request, std::unexpected(std::move(fine).error()));
        return;
    }
    if (!leading_) {
        answer_put(from, put.request, fail(Errc::not_ready, "this meta does not lead now"));
        return;
    }
    const MonoTime now = env_.clock.mono();
    const std::uint64_t content = content_hash(put);
    if (const RecentPuts::Put* recent = recent_puts_.find(from, put.request, content, now)) {
        if (recent->result) {
            answer_put(from, put.request, *recent->result);
        }
        return;  // under way: answered when it is done
    }
    if (puts_open_ >= options_.puts_waiting_max) {
        answer_put(from, put.request,
                   fail(Errc::over_limit, "too many configuration changes wait"));
        return;
    }
    recent_puts_.begin(from, put.request, content, now);
    ++puts_open_;
    const Version physical = version_at(env_.clock.wall());
    PutOpen open{.from = from, .request = put.request, .key = put.key, .content = content};
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
    recent_puts_.finish(put.from, put.request, put.content, outcome);
    answer_put(put.from, put.request, outcome);
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
