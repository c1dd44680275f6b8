#include "doors/http/op.h"

#include "doors/http/errors.h"
#include "doors/http/json_view.h"

namespace muster::http {

const SharedBytes& ListPush::event() {
    if (!event_) {
        event_ = std::make_shared<const std::string>(list_event(*order_.view));
    }
    return event_;
}

void OpHost::fail(const Error& error) {
    finish(error_response(error));
}

}  // namespace muster::http
