#include "doors/http/write_ops.h"

#include "doors/http/call.h"
#include "doors/http/instance_ids.h"
#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

// The session answers within its own write_wait (200 ms); this is for one that does not answer.
constexpr Duration kAnswerWithin = std::chrono::seconds(5);

// The first outcome that failed.
Result<void> outcome_of(const msg::RequestReply& reply) {
    for (const auto& outcome : reply.outcomes) {
        MUSTER_TRY(outcome.result);
    }
    return {};
}

}  // namespace

void RegisterOp::start(OpHost& host) {
    request_ = msg::RequestId(host.next_number());
    host.set_deadline(kAnswerWithin);
    host.tell(msg::RegisterPublishers{
        .request = request_, .publications = {lease_.publication}, .lease = lease_.ttl});
}

void RegisterOp::on_reply(OpHost& host, const msg::RequestReply& reply) {
    if (reply.request != request_) {
        return;
    }
    if (const auto outcome = outcome_of(reply); !outcome) {
        leases_.refuse(*lease_.publication);
        host.fail(outcome.error());
        return;
    }
    JsonWriter json;
    json.begin_object()
        .field("id", instance_id_of(lease_.publication->id))
        .field("service", lease_.publication->service->path())
        .field("ttl_seconds", to_ms(lease_.ttl) / 1000)
        .field("created", lease_.is_new)
        .end_object();
    host.finish(json_response(std::move(json).take(), lease_.is_new ? 201 : 200));
}

void RegisterOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the registration was sent, but not answered"});
}

void UnregisterOp::start(OpHost& host) {
    request_ = msg::RequestId(host.next_number());
    host.set_deadline(kAnswerWithin);
    msg::UnregisterPublishers unregister{.request = request_};
    unregister.items.push_back({.id = id_, .service = service_, .order = leaving_.order});
    host.tell(std::move(unregister));
}

void UnregisterOp::on_reply(OpHost& host, const msg::RequestReply& reply) {
    if (reply.request != request_) {
        return;
    }
    if (const auto outcome = outcome_of(reply); !outcome) {
        host.fail(outcome.error());
        return;
    }
    JsonWriter json;
    json.begin_object()
        .field("id", instance_id_of(id_))
        .field("service", service_->path())
        .field("removed", true)
        .field("known_here", leaving_.known)
        .end_object();
    host.finish(json_response(std::move(json).take()));
}

void UnregisterOp::on_deadline(OpHost& host) {
    host.fail({Errc::timeout, "the removal was sent, but not answered"});
}

}  // namespace muster::http
