#include "doors/http/query_ops.h"

#include <algorithm>

#include "doors/http/call.h"
#include "doors/http/json_view.h"
#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

constexpr Duration kAnswerWithin = std::chrono::seconds(5);

JsonWriter config_json(const Service& key, Version version) {
    JsonWriter json;
    json.begin_object()
        .field("tenant", key.tenant)
        .field("group", key.group)
        .field("key", key.data_id)
        .field("version", std::to_string(version.raw()));
    return json;
}

}  // namespace

void ServicesOp::start(OpHost& host) {
    token_ = host.next_number();
    query_.query = token_;
    host.set_deadline(kAnswerWithin);
    host.query_services(token_, query_);
}

void ServicesOp::on_services(OpHost& host, std::uint64_t token,
                             const msg::ListServicesReply& reply) {
    if (token == token_) {
        host.finish(json_response(services_json(reply)));
    }
}

void ServicesOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the data servers did not all answer"});
}

void ConfigGetOp::start(OpHost& host) {
    const auto number = host.next_number();
    id_ = RegistId("http-" + std::to_string(number));
    request_ = msg::RequestId(number);
    host.set_deadline(known_within_);
    host.tell(msg::WatchConfig{.request = request_,
                               .watch = {.id = id_, .key = key_, .order = {.version = 1}},
                               .once = true});
}

void ConfigGetOp::on_reply(OpHost& host, const msg::RequestReply& reply) {
    if (reply.request != request_) {
        return;
    }
    for (const auto& outcome : reply.outcomes) {
        if (!outcome.result) {
            host.fail(outcome.result.error());
            return;
        }
    }
}

void ConfigGetOp::on_config(OpHost& host, const msg::ConfigPush& push) {
    if (std::ranges::find(push.watchers, id_) == push.watchers.end()) {
        return;
    }
    if (!push.value) {
        host.fail({Errc::not_found, "no value is set for " + key_->path()});
        return;
    }
    JsonWriter json = config_json(*key_, push.version);
    json.field("value", *push.value).end_object();
    host.finish(json_response(std::move(json).take()));
}

void ConfigGetOp::on_deadline(OpHost& host) {
    host.fail({Errc::not_ready, "the value of " + key_->path() + " did not become known within " +
                                    std::to_string(to_ms(known_within_)) + " ms"});
}

void ConfigGetOp::stop(OpHost& host) {
    host.tell(msg::UnwatchConfig{.request = msg::RequestId(host.next_number()),
                                 .watch = {.id = id_, .key = key_, .order = {.version = 2}}});
}

void ConfigPutOp::start(OpHost& host) {
    token_ = host.next_number();
    host.set_deadline(kAnswerWithin);
    host.put_config(token_, *key_, std::move(value_));
}

void ConfigPutOp::on_config_put(OpHost& host, std::uint64_t token, const Result<Version>& result) {
    if (token != token_) {
        return;
    }
    if (!result) {
        host.fail(result.error());
        return;
    }
    JsonWriter json = config_json(*key_, *result);
    json.end_object();
    host.finish(json_response(std::move(json).take()));
}

void ConfigPutOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the change was sent, but not answered"});
}

}  // namespace muster::http
